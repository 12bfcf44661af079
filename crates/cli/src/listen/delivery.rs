//! A delivery on its way, and what comes of it.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode, Uri};
use jiff::Timestamp;
use tokio::time::Instant;

use super::log::Log;
use crate::record::{AnsweredBy, FromPage};

/// A request that was received as a whole.
pub(super) struct Received {
    pub(super) at: Timestamp,
    pub(super) started: Instant,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// What it is if it was sent from the page, and of which delivery.
    pub(super) from_page: Option<(FromPage, Option<u64>)>,
}

impl Received {
    pub(super) fn new(at: Timestamp, started: Instant, parts: &Parts, body: Bytes) -> Self {
        Self {
            at,
            started,
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
            body,
            from_page: None,
        }
    }

    /// Cronofy [posts](https://docs.cronofy.com/developers/push-notifications/) what it has to say.
    pub(super) fn is_delivery(&self) -> bool {
        self.method == Method::POST
    }
}

/// An answer, who has given it, and why it is not the receiver's.
pub(super) struct Answered {
    pub(super) response: Response<Bytes>,
    pub(super) by: AnsweredBy,
    pub(super) error: Option<String>,
}

impl Answered {
    /// An answer of ours, which says so.
    pub(super) fn by_listen(status: StatusCode, error: String) -> Self {
        let text = format!("cronofy-webhook listen: {error}\n");
        let mut response = Response::new(Bytes::from(text));
        *response.status_mut() = status;
        response.headers_mut().insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        Self {
            response,
            by: AnsweredBy::Listen,
            error: Some(error),
        }
    }
}

/// A delivery that has no outcome yet. If it is dropped, its client has disconnected.
pub(super) struct Pending {
    log: Arc<Log>,
    received: Option<Received>,
}

impl Pending {
    pub(super) fn new(log: Arc<Log>, received: Received) -> Self {
        Self {
            log,
            received: Some(received),
        }
    }

    /// Logs what has come of it; returns its key.
    pub(super) fn finish(mut self, outcome: Result<&Answered, &str>) -> Option<u64> {
        let received = self.received.take()?;
        Some(self.log.add(&received, outcome))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(received) = self.received.take() {
            self.log.add(&received, Err("the client has disconnected"));
        }
    }
}
