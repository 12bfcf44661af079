use std::time::Duration;

use jiff::Timestamp;

use crate::record::Entry;

/// The deliveries of a record that are asked for.
pub(super) struct Selection<'a> {
    ids: &'a [u64],
    kinds: &'a [String],
    since: Option<Duration>,
    last: Option<Timestamp>,
    entries: Vec<Entry>,
}

impl<'a> Selection<'a> {
    pub(super) fn new(ids: &'a [u64], kinds: &'a [String], since: Option<Duration>) -> Self {
        Self {
            ids,
            kinds,
            since,
            last: None,
            entries: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, entry: Entry) {
        self.last = self.last.max(Some(entry.at));
        let is_asked_for = (self.ids.is_empty() || self.ids.contains(&entry.id))
            && (self.kinds.is_empty() || self.kinds.contains(&entry.kind));
        if is_asked_for {
            self.entries.push(entry);
        }
    }

    /// Those that are left once the time of the last one is known.
    pub(super) fn finish(mut self) -> Vec<Entry> {
        if let (Some(since), Some(last)) = (self.since, self.last) {
            let first = last.checked_sub(since).unwrap_or(Timestamp::MIN);
            self.entries.retain(|entry| entry.at >= first);
        }
        self.entries
    }
}
