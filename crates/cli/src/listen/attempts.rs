use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

/// Numbers the deliveries, and counts how many times each has come: Cronofy retries with the same bytes.
#[derive(Default)]
pub(super) struct Attempts {
    last_id: u64,
    hasher: RandomState,
    /// The first one of these bytes, and how many there were. A key is a hash, as bodies can be large and many.
    seen: HashMap<u64, (u64, u32)>,
}

impl Attempts {
    /// The number of a delivery, which attempt it is, and the number of the first unless it is that.
    pub(super) fn add(&mut self, uri: &str, body: &[u8]) -> (u64, u32, Option<u64>) {
        self.add_recorded(self.last_id + 1, uri, body)
    }

    /// As [`add`](Self::add), for one that has its number already.
    pub(super) fn add_recorded(
        &mut self,
        id: u64,
        uri: &str,
        body: &[u8],
    ) -> (u64, u32, Option<u64>) {
        self.last_id = self.last_id.max(id);
        let key = self.hasher.hash_one((uri, body));
        let (first, count) = self.seen.entry(key).or_insert((id, 0));
        *count += 1;
        (id, *count, (*first != id).then_some(*first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_at_the_same_url_are_another_attempt() {
        let mut attempts = Attempts::default();
        attempts.add_recorded(7, "/a", b"1");
        let added = ["/a 1", "/a 2", "/b 1", "/a 1"].map(|delivery| {
            let (uri, body) = delivery.split_once(' ').unwrap();
            attempts.add(uri, body.as_bytes())
        });
        let expected = [
            (8, 2, Some(7)),
            (9, 1, None),
            (10, 1, None),
            (11, 3, Some(7)),
        ];
        assert_eq!(added, expected);
    }
}
