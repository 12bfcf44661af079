//! The plainest store, and operations to compare another one with it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use crate::clock::micros;
use crate::entry::{Entry, Key};
use crate::job::Stored;
use crate::store::{End, MAX_DELAY, Take, Token};

/// What is waiting, or taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub(crate) body: Bytes,
    pub(crate) since: Option<i64>,
    pub(crate) received: i64,
    pub(crate) count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) account: String,
    pub(crate) channel: Option<String>,
    pub(crate) waiting: Option<Slot>,
    pub(crate) taken: Option<Slot>,
    pub(crate) token: Option<Token>,
    pub(crate) due: i64,
    pub(crate) attempts: u32,
    pub(crate) parked_at: Option<i64>,
}

#[derive(Default)]
pub(crate) struct Model {
    /// In the order in which they were added.
    rows: BTreeMap<u64, Row>,
    added: u64,
    last_token: i64,
}

/// The one with the earlier time, the older one of two with the same; the count of both.
fn merge(older: Option<Slot>, newer: Option<Slot>) -> Option<Slot> {
    let (Some(older), Some(newer)) = (older.clone(), newer.clone()) else {
        return older.or(newer);
    };
    let kept = if newer.since < older.since {
        &newer
    } else {
        &older
    };
    Some(Slot {
        received: older.received.min(newer.received),
        count: older.count + newer.count,
        ..kept.clone()
    })
}

impl Row {
    fn stored(&self) -> Stored {
        let slot =
            merge(self.taken.clone(), self.waiting.clone()).expect("something is waiting or taken");
        Stored {
            account: self.account.clone(),
            body: slot.body,
            received: slot.received,
            attempts: self.attempts,
            count: slot.count,
        }
    }
}

impl Model {
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<_> = self.rows.values().cloned().collect();
        rows.sort();
        rows
    }

    pub(crate) fn put(&mut self, entry: &Entry, now: i64) {
        let new = Some(Slot {
            body: entry.body.clone(),
            since: entry.key.map(|key| key.since),
            received: now,
            count: 1,
        });
        let same = |row: &&mut Row| {
            entry.key.is_some()
                && row.account == entry.account
                && row.channel == entry.channel
                && row
                    .waiting
                    .iter()
                    .chain(&row.taken)
                    .all(|slot| slot.since.is_some())
        };
        if let Some(row) = self.rows.values_mut().find(same) {
            row.waiting = merge(row.waiting.take(), new);
            if row.parked_at.take().is_some() {
                row.due = now;
                row.attempts = 0;
            }
            return;
        }
        self.added += 1;
        let row = Row {
            account: entry.account.clone(),
            channel: entry.channel.clone(),
            waiting: new,
            taken: None,
            token: None,
            due: now,
            attempts: 0,
            parked_at: None,
        };
        self.rows.insert(self.added, row);
    }

    /// `taken`: the body that the other store took. Of rows that became due at the same time, it may take any.
    pub(crate) fn take(
        &mut self,
        lease: Duration,
        max_attempts: Option<u32>,
        now: i64,
        taken: Option<&Bytes>,
    ) -> Take<Token> {
        let first = self
            .rows
            .iter_mut()
            .filter(|(_, row)| row.parked_at.is_none() && row.due <= now)
            .min_by_key(|(added, row)| (row.due, Some(&row.stored().body) != taken, **added));
        let Some((_, row)) = first else {
            return Take::Nothing;
        };
        if max_attempts.is_some_and(|max| row.attempts >= max) {
            row.parked_at = Some(now);
            row.token = None;
            return Take::Parked(row.stored());
        }
        self.last_token += 1;
        let token = Token(self.last_token);
        row.taken = merge(row.taken.take(), row.waiting.take());
        row.token = Some(token);
        row.attempts += 1;
        row.due = now + micros(lease.min(MAX_DELAY));
        Take::Taken(token, row.stored())
    }

    fn held(&mut self, token: Token) -> Option<&mut Row> {
        self.rows.values_mut().find(|row| row.token == Some(token))
    }

    pub(crate) fn renew(&mut self, token: Token, lease: Duration, now: i64) -> bool {
        let Some(row) = self.held(token) else {
            return false;
        };
        row.due = now + micros(lease.min(MAX_DELAY));
        true
    }

    pub(crate) fn end(&mut self, token: Token, end: End, now: i64) -> bool {
        let Some(row) = self.held(token) else {
            return false;
        };
        row.token = None;
        row.due = now;
        match end {
            End::Done if row.waiting.is_none() => {
                row.taken = None;
                self.rows
                    .retain(|_, row| row.taken.is_some() || row.waiting.is_some());
            }
            End::Done => {
                row.taken = None;
                row.attempts = 0;
            }
            End::Failed { backoff } => row.due = now + micros(backoff.min(MAX_DELAY)),
            End::Released => row.attempts -= 1,
        }
        true
    }

    pub(crate) fn unpark_all(&mut self, now: i64) {
        for row in self.rows.values_mut() {
            if row.parked_at.take().is_some() {
                row.due = now;
                row.attempts = 0;
            }
        }
    }

    pub(crate) fn forget(&mut self, account: &str) -> u64 {
        let before = self.rows.len();
        self.rows.retain(|_, row| row.account != account);
        (before - self.rows.len()) as u64
    }

    /// `is_only_process`: no run can be under way.
    pub(crate) fn crash(&mut self, is_only_process: bool, now: i64) {
        for row in self.rows.values_mut() {
            let is_void = is_only_process && row.token.take().is_some();
            let is_too_far = row.parked_at.is_none() && row.due > now + micros(MAX_DELAY);
            if is_void || is_too_far {
                row.due = now;
            }
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// A `change` of a channel since a time, or another kind.
    Put {
        account: u8,
        change: Option<(u8, i64)>,
    },
    Take {
        lease: Duration,
        max_attempts: Option<u32>,
    },
    /// Of any run so far, those that lost their row included.
    Renew {
        run: usize,
        lease: Duration,
    },
    End {
        run: usize,
        end: End,
    },
    UnparkAll,
    Forget {
        account: u8,
    },
    Wait {
        micros: i64,
    },
    /// The process ends, and starts again with a clock that was set.
    Crash {
        clock: i64,
    },
}

pub(crate) fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let duration =
        || prop_oneof![0..2_000_u64, Just(7_200_000_000)].prop_map(Duration::from_micros);
    let end = prop_oneof![
        2 => Just(End::Done),
        1 => duration().prop_map(|backoff| End::Failed { backoff }),
        1 => Just(End::Released),
    ];
    let operation = prop_oneof![
        6 => (0..2_u8, prop::option::weighted(0.8, (0..2_u8, 0..6_i64)))
            .prop_map(|(account, change)| Operation::Put { account, change }),
        6 => (duration(), prop::option::weighted(0.3, 1..4_u32))
            .prop_map(|(lease, max_attempts)| Operation::Take { lease, max_attempts }),
        2 => (any::<prop::sample::Index>(), duration())
            .prop_map(|(run, lease)| Operation::Renew { run: run.index(RUNS), lease }),
        6 => (any::<prop::sample::Index>(), end)
            .prop_map(|(run, end)| Operation::End { run: run.index(RUNS), end }),
        1 => Just(Operation::UnparkAll),
        1 => (0..2_u8).prop_map(|account| Operation::Forget { account }),
        4 => (0..2_000_i64).prop_map(|micros| Operation::Wait { micros }),
        1 => prop_oneof![-8_000_000_000..8_000_000_000_i64, -2_000..2_000_i64]
            .prop_map(|clock| Operation::Crash { clock }),
    ];
    prop::collection::vec(operation, 1..80)
}

/// An operation on a run is on the one so many before the last.
const RUNS: usize = 4;

/// An entry that differs from all others in its body.
pub(crate) fn entry(account: u8, change: Option<(u8, i64)>, number: usize) -> Entry {
    Entry {
        key: change.map(|(channel, since)| Key {
            id: [account * 16 + channel; 32],
            since,
        }),
        account: format!("account {account}"),
        channel: change.map(|(channel, _)| format!("channel {channel}")),
        body: format!("body {number}").into(),
    }
}
