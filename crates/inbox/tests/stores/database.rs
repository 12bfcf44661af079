use std::time::Duration;

use crate::entry::Entry;
use crate::inspect::{Parked, Stats};
use crate::job::Stored;
use crate::model::{Row, entry};
use crate::store::{End, Take, Token};

pub(crate) const LEASE: Duration = Duration::from_micros(100);
pub(crate) const FAILED: End = End::Failed {
    backoff: Duration::from_micros(500),
};
pub(crate) const HOUR: i64 = 3_600_000_000;

/// The time at which a test begins, in microseconds since 1970.
pub(crate) const START: i64 = 1_000;

/// The statements of a store, at times that a test sets.
pub(crate) trait Database {
    /// Whether nothing can be running when it is opened.
    const IS_FOR_ONE_PROCESS: bool;
    /// How many sequences of operations are compared with the model.
    const CASES: u32;

    /// Empty.
    fn new() -> Self;
    /// As if it were new.
    fn reset(&mut self);
    fn now(&self) -> i64;
    fn advance(&mut self, micros: i64);
    /// False: there would have been one row too many.
    fn put_with(&self, entry: &Entry, max_rows: Option<u64>) -> bool;
    fn take_with(&self, lease: Duration, max_attempts: Option<u32>) -> Take<Token>;
    fn renew_with(&self, token: Token, lease: Duration) -> bool;
    fn end(&self, token: Token, end: End) -> bool;
    fn unpark(&self, id: &[u8]) -> bool;
    fn forget(&self, account: &str) -> u64;
    /// What follows when a process has ended and the next one starts.
    fn crash(&self);
    fn parked(&self, limit: usize) -> Vec<Parked>;
    fn stats(&self) -> Stats;
    /// Sorted.
    fn rows(&self) -> Vec<Row>;

    fn put(&self, entry: &Entry) {
        assert!(self.put_with(entry, None));
    }

    /// A `change` of one channel.
    fn change(&self, since: i64, number: usize) {
        self.put(&entry(0, Some((0, since)), number));
    }

    fn take(&self) -> Take<Token> {
        self.take_with(LEASE, None)
    }

    #[track_caller]
    fn taken(&self) -> (Token, Stored) {
        match self.take() {
            Take::Taken(token, job) => (token, job),
            other => panic!("{other:?}"),
        }
    }

    fn renew(&self, token: Token) -> bool {
        self.renew_with(token, LEASE)
    }

    fn row(&self) -> Row {
        let mut rows = self.rows();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    fn unpark_all(&self) {
        for parked in self.parked(100) {
            assert!(self.unpark(&parked.id));
            assert!(!self.unpark(&parked.id));
        }
    }
}
