use std::time::Duration;

use http::StatusCode;

/// What became of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    /// What the service answered.
    pub answer: Answer,
}

/// What a service answered to an [`Attempt`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A response with this status.
    Status(StatusCode),
    /// Nothing within the time limit.
    TimedOut,
    /// The error of the service, as text.
    Failed(String),
}
