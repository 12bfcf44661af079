//! What the page shows: the last requests, in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use cronofy_webhook::Notification;

use super::judge::Judgement;
use crate::record::{Entry, Verdict};

/// How many requests are kept, and how many bytes of them.
const ROWS: usize = 5000;
const BYTES: usize = 64 * 1024 * 1024;

/// Of what is not authentic, anybody can send much.
const UNAUTHENTIC: usize = 64 * 1024;

/// A request, and what came of it.
pub(super) struct Stored {
    /// Its number in memory, also of what is not a delivery.
    pub(super) key: u64,
    /// Its `id` is 0 if it is not a delivery.
    pub(super) entry: Entry,
    pub(super) channel: Option<String>,
    pub(super) took_ms: Option<f64>,
    pub(super) body_length: usize,
    pub(super) answer_length: usize,
    /// Of a body whose end was not kept: it cannot be judged again.
    pub(super) judgement: Option<Judgement>,
}

impl Stored {
    pub(super) fn id(&self) -> Option<u64> {
        self.is_delivery().then_some(self.entry.id)
    }

    pub(super) fn is_delivery(&self) -> bool {
        self.entry.id > 0
    }

    /// Whether the end of the body was not kept.
    pub(super) fn is_cut(&self) -> bool {
        self.entry.body.len() < self.body_length
    }

    fn size(&self) -> usize {
        let answer = self.entry.answer.as_ref();
        let answer = answer.map_or(0, |answer| answer.body.len() + answer.headers.size());
        self.entry.body.len() + self.entry.headers.size() + self.entry.uri.len() + answer
    }
}

#[derive(Default)]
pub(super) struct Store {
    rows: VecDeque<Arc<Stored>>,
    bytes: usize,
    last_key: u64,
}

impl Store {
    /// Keeps a delivery of the record.
    pub(super) fn add_recorded(&mut self, entry: Entry) {
        let notification = Notification::from_slice(&entry.body);
        let took_ms = entry.answer.as_ref().map(|answer| answer.took_ms);
        self.add(entry, channel_id(&notification), took_ms, None);
    }

    /// Keeps a request, and drops the oldest ones that have no room beside it. Returns its key.
    pub(super) fn add(
        &mut self,
        mut entry: Entry,
        channel: Option<String>,
        took_ms: Option<f64>,
        judgement: Option<Judgement>,
    ) -> u64 {
        let body_length = entry.body.len();
        let answer_length = entry.answer.as_ref().map_or(0, |answer| answer.body.len());
        if entry.id == 0 || entry.verdict == Verdict::Unauthentic {
            cut(&mut entry.body);
            if let Some(answer) = &mut entry.answer {
                cut(&mut answer.body);
            }
        }
        self.last_key += 1;
        let stored = Stored {
            key: self.last_key,
            // The body is judged again when it is shown, if all of it is there.
            judgement: judgement.filter(|_| entry.body.len() < body_length),
            entry,
            channel,
            took_ms,
            body_length,
            answer_length,
        };
        self.bytes += stored.size();
        self.rows.push_back(Arc::new(stored));
        while self.rows.len() > ROWS || (self.bytes > BYTES && self.rows.len() > 1) {
            if let Some(oldest) = self.rows.pop_front() {
                self.bytes -= oldest.size();
            }
        }
        self.last_key
    }

    pub(super) fn get(&self, key: u64) -> Option<Arc<Stored>> {
        let index = self.rows.binary_search_by_key(&key, |stored| stored.key);
        index.ok().map(|index| Arc::clone(&self.rows[index]))
    }

    /// All of them, the oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Stored>> {
        self.rows.iter().cloned().collect()
    }
}

pub(super) fn channel_id(notification: &Notification) -> Option<String> {
    let channel = notification.channel()?;
    Some(channel.channel_id.clone())
}

/// A copy, as what was cut off would stay in memory.
fn cut(body: &mut Bytes) {
    if body.len() > UNAUTHENTIC {
        *body = Bytes::copy_from_slice(&body[..UNAUTHENTIC]);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use jiff::Timestamp;

    use super::*;
    use crate::record::Headers;

    fn add(store: &mut Store, id: u64, verdict: Verdict, length: usize) -> Arc<Stored> {
        let entry = Entry {
            id,
            at: Timestamp::UNIX_EPOCH,
            method: "POST".to_owned(),
            uri: "/".to_owned(),
            headers: Headers::from(&HeaderMap::new()),
            body: vec![0; length].into(),
            kind: "change".to_owned(),
            verdict,
            secret: None,
            mistakes: Vec::new(),
            answer: None,
            error: None,
            attempt: 1,
            of: None,
            from_page: None,
            replay_of: None,
        };
        let key = store.add(entry, None, None, None);
        store.get(key).unwrap()
    }

    #[test]
    fn the_oldest_are_dropped() {
        let mut store = Store::default();
        for id in 1..=5003 {
            add(&mut store, id, Verdict::Authentic, 1);
        }
        let keys: Vec<_> = store.all().iter().map(|stored| stored.key).collect();
        assert_eq!(keys, (4..=5003).collect::<Vec<_>>());
        assert!(store.get(3).is_none());
        assert_eq!(store.get(4).unwrap().entry.id, 4);
    }

    #[test]
    fn they_take_64_mib_at_most() {
        let mut store = Store::default();
        for id in 1..=20 {
            add(&mut store, id, Verdict::Authentic, 10 * 1024 * 1024);
        }
        assert_eq!(store.all().len(), 6);
        assert!(store.bytes <= BYTES);
        for id in 21..=5000 {
            add(&mut store, id, Verdict::Authentic, 0);
        }
        add(&mut store, 5001, Verdict::Authentic, BYTES);
        assert_eq!(store.all().len(), 1);
    }

    #[test]
    fn what_is_not_authentic_is_cut() {
        let mut store = Store::default();
        let length = UNAUTHENTIC + 1;
        for (id, verdict, is_cut) in [
            (1, Verdict::Authentic, false),
            (2, Verdict::Unchecked, false),
            (3, Verdict::Unauthentic, true),
            (0, Verdict::Unchecked, true),
        ] {
            let stored = add(&mut store, id, verdict, length);
            assert_eq!(stored.is_cut(), is_cut, "{id}");
            assert_eq!(stored.body_length, length);
        }
    }
}
