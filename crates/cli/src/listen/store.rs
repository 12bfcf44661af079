//! What the page shows: the last requests, in memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::Notification;
use cronofy_webhook_testing::time_limit;

use super::judge::Judgement;
use crate::record::{Entry, Verdict};

/// How many deliveries are kept, how many other requests, and how many bytes of both.
const DELIVERIES: usize = 5000;
const OTHERS: usize = 500;
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
    /// How long an answer is waited for.
    pub(super) limit: Duration,
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

/// Other requests do not displace deliveries: a public URL is scanned.
#[derive(Default)]
pub(super) struct Store {
    patience: Option<Duration>,
    deliveries: VecDeque<Arc<Stored>>,
    others: VecDeque<Arc<Stored>>,
    bytes: usize,
    last_key: u64,
}

impl Store {
    /// An empty one. `patience` is how long answers are waited for, if not as long as Cronofy waits.
    pub(super) fn new(patience: Option<Duration>) -> Self {
        Self {
            patience,
            ..Self::default()
        }
    }

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
        let limit = self.patience.unwrap_or_else(|| time_limit(&entry.body));
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
            limit,
            body_length,
            answer_length,
        };
        self.bytes += stored.size();
        if stored.is_delivery() {
            self.deliveries.push_back(Arc::new(stored));
        } else {
            self.others.push_back(Arc::new(stored));
        }
        self.drop_oldest();
        self.last_key
    }

    fn drop_oldest(&mut self) {
        loop {
            let is_full = self.bytes > BYTES;
            let oldest = if self.others.len() > OTHERS || (is_full && !self.others.is_empty()) {
                self.others.pop_front()
            } else if self.deliveries.len() > DELIVERIES || (is_full && self.deliveries.len() > 1) {
                self.deliveries.pop_front()
            } else {
                None
            };
            match oldest {
                Some(oldest) => self.bytes -= oldest.size(),
                None => return,
            }
        }
    }

    pub(super) fn get(&self, key: u64) -> Option<Arc<Stored>> {
        [&self.deliveries, &self.others]
            .into_iter()
            .find_map(|rows| {
                let index = rows.binary_search_by_key(&key, |stored| stored.key);
                index.ok().map(|index| Arc::clone(&rows[index]))
            })
    }

    /// All of them, the oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Stored>> {
        let mut all: Vec<_> = self
            .deliveries
            .iter()
            .chain(&self.others)
            .cloned()
            .collect();
        all.sort_by_key(|stored| stored.key);
        all
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
    fn other_requests_do_not_displace_deliveries() {
        let mut store = Store::default();
        add(&mut store, 1, Verdict::Authentic, 1);
        for _ in 0..6000 {
            add(&mut store, 0, Verdict::Unchecked, UNAUTHENTIC);
        }
        add(&mut store, 2, Verdict::Authentic, 1);
        let all = store.all();
        assert_eq!(all.len(), 2 + 500);
        assert_eq!((all[0].key, all[1].key), (1, 5502));
        assert_eq!(all[501].id(), Some(2));
        add(&mut store, 3, Verdict::Authentic, BYTES - 100);
        assert_eq!(store.all().len(), 3);
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
