use std::fmt;

use bytes::Bytes;
use cronofy_webhook::{Delivery, Notification};
use jiff::Timestamp;

/// A notification to process: what a worker calls its service with.
///
/// Of a `change`, one job stands for all that were received for the account and the channel and are not yet processed; it
/// has the earliest `changes_since` of them. Every other notification is a job of its own.
///
/// A job can run again, after a failure or a crash: make the handling idempotent. Other kinds than `change` have no order:
/// read the current state from Cronofy instead of trusting the last body.
///
/// In [`Debug`](fmt::Debug) the body is left out: it may hold personal data.
///
/// In a unit test of a handler, make one with [`from_delivery`](Self::from_delivery):
///
/// ```
/// use cronofy_webhook::Notification;
/// use cronofy_webhook_testing::{Payload, Sender};
/// use cronofy_webhook_inbox::Job;
///
/// async fn sync(job: Job) -> Result<String, std::io::Error> {
///     match job.notification() {
///         Notification::Change(change) => Ok(format!("read {} since {}", job.account(), change.changes_since)),
///         other => Ok(other.kind().to_owned()),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let change = Payload::change("2026-04-19T09:24:16Z".parse()?);
/// let job = Job::from_delivery("42", &Sender::new("CRN_test").delivery(change));
/// assert_eq!(sync(job).await?, "read 42 since 2026-04-19T09:24:16Z");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Job {
    account: String,
    notification: Notification,
    body: Bytes,
    received_at: Timestamp,
    attempt: u32,
    merged: u64,
}

/// A job as a store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) account: String,
    pub(crate) body: Bytes,
    /// Microseconds since 1970.
    pub(crate) received: i64,
    pub(crate) attempts: u32,
    pub(crate) count: u64,
}

impl Job {
    /// A job as a worker would make it of this delivery: received now, in its first attempt.
    pub fn from_delivery(account: impl Into<String>, delivery: &Delivery) -> Self {
        Self {
            account: account.into(),
            notification: delivery.notification().clone(),
            body: delivery.body().clone(),
            received_at: Timestamp::now(),
            attempt: 1,
            merged: 1,
        }
    }

    /// The account, as it was passed to [`Inbox::put`](crate::Inbox::put).
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The notification; of several `change`s the one with the earliest `changes_since`.
    ///
    /// It is parsed when the job is taken: an [`Unknown`](Notification::Unknown) becomes typed once a release models its
    /// kind.
    #[must_use]
    pub fn notification(&self) -> &Notification {
        &self.notification
    }

    /// The body of [`notification`](Self::notification), byte for byte as it was received.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// When it was received; of several, the first of them.
    #[must_use]
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// Which attempt this is, from 1. A run that a shutdown ended does not count; one that a crash ended does.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How many notifications this job stands for, at least 1.
    #[must_use]
    pub fn merged(&self) -> u64 {
        self.merged
    }
}

impl From<Stored> for Job {
    fn from(stored: Stored) -> Self {
        Self {
            account: stored.account,
            notification: Notification::from_slice(&stored.body),
            body: stored.body,
            received_at: timestamp(stored.received),
            attempt: stored.attempts,
            merged: stored.count,
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("account", &self.account)
            .field("kind", &self.notification.kind())
            .field("received_at", &self.received_at)
            .field("attempt", &self.attempt)
            .field("merged", &self.merged)
            .finish_non_exhaustive()
    }
}

/// The nearest that can be expressed.
pub(crate) fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}
