use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::rejection::{self, Rejection};

/// What happens to a handler that is not done when the deadline passes.
///
/// | policy | response | the handler | Cronofy then |
/// |---|---|---|---|
/// | [`Finish`](Self::Finish) (default) | 503 | keeps running in the background | retries |
/// | [`Accept`](Self::Accept) | 202 | keeps running in the background | considers it delivered |
/// | [`Cancel`](Self::Cancel) | 503 | is dropped | retries |
///
/// The policy also applies when the client disconnects, or an outer layer times out: servers drop the handler of a connection that
/// is closed, and without this layer it would stop at whatever point it had reached. Nobody gets a response then.
///
/// In the [`Background`](super::Background) a handler runs for at most [`grace`](super::CronofyWebhookLayer::grace), if a place is
/// free there; if none is, it is treated as under `Cancel`. Its response is discarded; an event reports the outcome.
///
/// Under `Finish` and `Cancel` a handler that is *always* late is never acknowledged, even if it completes each time in the
/// background: Cronofy retries for 24 hours and then closes the channel
/// ([source](https://docs.cronofy.com/developers/push-notifications/)).
///
/// The response that is sent in place of the handler's has the policy that was applied in its extensions, for an outer layer that
/// counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overrun {
    /// 503, so that Cronofy retries, and the handler keeps running in the background.
    ///
    /// For handlers that can process a notification twice, as all should: a retry is one that was processed already.
    #[default]
    Finish,

    /// 202, so that Cronofy considers it delivered, and the handler keeps running in the background.
    ///
    /// For work that may be lost: if the handler fails after the response, or the process ends, Cronofy does not retry.
    Accept,

    /// 503, so that Cronofy retries, and the handler is dropped.
    ///
    /// For platforms that suspend the process after the response, and for handlers that are safe to drop at any point.
    Cancel,
}

impl Overrun {
    /// The name of the policy, as in events: `finish`, `accept` or `cancel`.
    ///
    /// ```
    /// use cronofy_webhook::Overrun;
    ///
    /// assert_eq!(Overrun::default().as_str(), "finish");
    /// assert_eq!(Overrun::Accept.to_string(), "accept");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finish => "finish",
            Self::Accept => "accept",
            Self::Cancel => "cancel",
        }
    }

    /// Whether the handler keeps running in the background.
    pub(super) fn continues(self) -> bool {
        match self {
            Self::Finish | Self::Accept => true,
            Self::Cancel => false,
        }
    }

    /// The response in place of the handler's.
    pub(super) fn to_response<R: From<Bytes>>(self, budget: Duration) -> Response<R> {
        let mut response = match self {
            Self::Finish | Self::Cancel => Rejection::handler_timeout(budget).to_response(),
            Self::Accept => rejection::text(
                StatusCode::ACCEPTED,
                "The notification was accepted and is still being handled.",
            ),
        };
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
