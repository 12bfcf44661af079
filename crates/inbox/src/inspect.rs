use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::job::Job;

/// How much there is in an inbox.
///
/// Alert on [`oldest_due_age`](Self::oldest_due_age) and on [`parked`](Self::parked).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Jobs that no run holds, those in a backoff included.
    pub waiting: u64,
    /// Jobs that a run holds.
    pub taken: u64,
    /// Jobs that had [`max_attempts`](crate::Worker::max_attempts), and run no more until they are unparked.
    pub parked: u64,
    /// For how long the oldest job that is due has been due; `None` if none is. It grows while no worker keeps up.
    pub oldest_due_age: Option<Duration>,
}

/// A job that had its attempts. See [`Inbox::parked`](crate::Inbox::parked).
#[derive(Clone)]
pub struct Parked {
    pub(crate) id: ParkedId,
    pub(crate) job: Job,
    pub(crate) parked_at: Timestamp,
}

/// The id of the row.
pub(crate) type ParkedId = Vec<u8>;

impl Parked {
    /// The job. Its [`attempt`](Job::attempt) is the last one that was made.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// When it was parked.
    #[must_use]
    pub fn parked_at(&self) -> Timestamp {
        self.parked_at
    }
}

impl fmt::Debug for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parked")
            .field("job", &self.job)
            .field("parked_at", &self.parked_at)
            .finish_non_exhaustive()
    }
}
