use std::time::Duration;

use http::StatusCode;

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Outcome {
    /// An attempt succeeded.
    #[non_exhaustive]
    Delivered {
        /// How many attempts were made, the successful one included.
        attempts: usize,
    },
    /// No attempt succeeded in time. The channel stays open, as another notification succeeded.
    #[non_exhaustive]
    GivenUp {
        /// How many attempts were made.
        attempts: usize,
    },
    /// The channel is closed.
    #[non_exhaustive]
    ChannelClosed {
        /// How many attempts were made.
        attempts: usize,
    },
}

/// One attempt to deliver a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// [`Notification::kind`](cronofy_webhook::Notification::kind) of the body.
    pub kind: String,
    /// When it started, since the channel was opened.
    pub at: Duration,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub result: AttemptResult,
}

/// How an [`Attempt`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttemptResult {
    /// With a response of this status.
    Status(StatusCode),
    /// Without a response within the time limit.
    TimedOut,
    /// With an error of the service, as text.
    Failed(String),
}
