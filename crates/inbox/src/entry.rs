use bytes::Bytes;
use cronofy_webhook::{Delivery, Notification};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// What a `put` stores.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Of a `change`: those with the same key merge. `None`: never merged.
    pub(crate) key: Option<Key>,
    pub(crate) account: String,
    pub(crate) channel: Option<String>,
    pub(crate) body: Bytes,
}

/// Of a `change`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: [u8; 32],
    /// `changes_since` in microseconds.
    pub(crate) since: i64,
}

impl Entry {
    pub(crate) fn new(account: &str, delivery: &Delivery) -> Self {
        let notification = delivery.notification();
        let channel = notification.channel().map(|channel| &channel.channel_id);
        let key = match notification {
            Notification::Change(change) => Some(Key {
                id: id(account, &change.channel.channel_id),
                since: micros(change.changes_since),
            }),
            _ => None,
        };
        Self {
            key,
            account: account.to_owned(),
            channel: channel.cloned(),
            body: delivery.body().clone(),
        }
    }
}

/// Each with its length in front: pairs that concatenate alike have different ids.
fn id(account: &str, channel: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [account, channel] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Rounded down: a read that starts too early misses nothing.
fn micros(time: Timestamp) -> i64 {
    let micros = time.as_nanosecond().div_euclid(1_000);
    i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_concatenate_alike_have_different_ids() {
        assert_ne!(id("ab", "c"), id("a", "bc"));
        assert_ne!(id("", "abc"), id("abc", ""));
        assert_ne!(id("a\0", "b"), id("a", "\0b"));
    }

    #[test]
    fn times_are_rounded_down() {
        let micros = |text: &str| micros(text.parse().expect("a time"));
        assert_eq!(micros("1970-01-01T00:00:00.000001999Z"), 1);
        assert_eq!(micros("1969-12-31T23:59:59.999999999Z"), -1);
        assert_eq!(micros("1969-12-31T23:59:59Z"), -1_000_000);
    }
}
