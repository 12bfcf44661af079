//! What happens to a request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook_testing::time_limit;
use http::header::{CONTENT_LENGTH, HOST, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout_at};

use super::LIMIT;
use super::delivery::{Answered, Pending, Received};
use super::headers::end_to_end;
use super::log::Log;
use super::receiver::Receiver;
use super::scope::Scope;
use crate::fault::{Effect, Faults};
use crate::record::{AnsweredBy, FromPage};

/// The longest that Cronofy waits: how long a body may take, of which it is not yet known what it is.
const LONGEST: Duration = Duration::from_secs(7);

/// Sends requests on to the receiver.
pub(super) struct Proxy {
    pub(super) scope: Scope,
    pub(super) receiver: Receiver,
    pub(super) faults: Faults,
    pub(super) patience: Option<Duration>,
    pub(super) host_header: Option<HeaderValue>,
    pub(super) log: Arc<Log>,
}

/// There is no answer: the connection is closed.
#[derive(Debug)]
pub(super) struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dropped")
    }
}

impl std::error::Error for Dropped {}

impl Proxy {
    pub(super) async fn call(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Dropped> {
        let (at, started) = (Timestamp::now(), Instant::now());
        let (parts, body) = request.into_parts();
        let body = match self.receive(&parts, body, started).await {
            Ok(body) => body,
            Err(refusal) => {
                let received = Received::new(at, started, &parts, Bytes::new());
                self.log.refused(&received, &refusal);
                return Ok(refusal.response.map(Full::new));
            }
        };
        let received = Received::new(at, started, &parts, body.clone());
        self.log.seen(&received);
        let (outcome, _) = self.deliver(received, parts, body).await;
        match outcome {
            Ok(answered) => Ok(answered.response.map(Full::new)),
            Err(_) => Err(Dropped),
        }
    }

    /// Sends a delivery that does not come from outside; returns its key.
    pub(super) async fn send(
        &self,
        parts: Parts,
        body: Bytes,
        from_page: (FromPage, Option<u64>),
    ) -> Option<u64> {
        let mut received = Received::new(Timestamp::now(), Instant::now(), &parts, body.clone());
        received.from_page = Some(from_page);
        let (_, key) = self.deliver(received, parts, body).await;
        key
    }

    /// Sends a request on, within the time limit, and logs what has come of it.
    async fn deliver(
        &self,
        received: Received,
        parts: Parts,
        body: Bytes,
    ) -> (Result<Answered, &'static str>, Option<u64>) {
        let started = received.started;
        let limit = self.patience.unwrap_or_else(|| time_limit(&body));
        let is_delivery = received.is_delivery();
        let pending = Pending::new(Arc::clone(&self.log), received);
        let forwarded = self.forward(parts, body, is_delivery);
        let outcome = match timeout_at(started + limit, forwarded).await {
            Ok(outcome) => outcome,
            Err(_) => Ok(Answered::by_listen(
                StatusCode::GATEWAY_TIMEOUT,
                format!(
                    "no answer from the receiver within {} s",
                    limit.as_secs_f64()
                ),
            )),
        };
        let key = pending.finish(outcome.as_ref().map_err(|error| *error));
        (outcome, key)
    }

    /// Reads the body of a request that is sent on.
    async fn receive(
        &self,
        parts: &Parts,
        mut body: Incoming,
        started: Instant,
    ) -> Result<Bytes, Answered> {
        if parts.headers.contains_key(UPGRADE) || parts.method == Method::CONNECT {
            let error = "connections are not upgraded".to_owned();
            return Err(Answered::by_listen(StatusCode::NOT_IMPLEMENTED, error));
        }
        if !self.scope.contains(parts.uri.path()) {
            let prefix = self.scope.prefix();
            let error = format!("the path is not below {prefix}, which is that of --to");
            return Err(Answered::by_listen(StatusCode::NOT_FOUND, error));
        }
        let deadline = started + self.patience.unwrap_or(LONGEST);
        let declared = parts.headers.get(CONTENT_LENGTH);
        let declared = declared.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if declared.is_some_and(|length| length > LIMIT) {
            return Err(too_large(body, deadline).await);
        }
        let limited = Limited::new(&mut body, LIMIT);
        match timeout_at(deadline, limited.collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                Err(too_large(body, deadline).await)
            }
            Ok(Err(error)) => Err(Answered::by_listen(
                StatusCode::BAD_REQUEST,
                format!("the body has no end: {error}"),
            )),
            Err(_) => Err(Answered::by_listen(
                StatusCode::REQUEST_TIMEOUT,
                "the body was not complete in time".to_owned(),
            )),
        }
    }

    /// Sends a request on, with its faults. An error closes the connection.
    async fn forward(
        &self,
        mut parts: Parts,
        body: Bytes,
        is_delivery: bool,
    ) -> Result<Answered, &'static str> {
        let mut status = None;
        let effects = if is_delivery {
            self.faults.draw()
        } else {
            Vec::new()
        };
        for effect in effects {
            match effect {
                Effect::Delay(time) => sleep(time).await,
                Effect::Status(other) => status = Some(other),
                Effect::Drop => return Err("dropped by --fault"),
            }
        }
        parts.version = Version::HTTP_11;
        parts.headers = end_to_end(&parts.headers);
        if let (Some(host), Some(value)) = (parts.headers.get_mut(HOST), &self.host_header) {
            *host = value.clone();
        }
        let request = Request::from_parts(parts, Full::new(body));
        let mut response = match self.receiver.send(request).await {
            Ok(response) => response,
            Err(error) => return Ok(Answered::by_listen(StatusCode::BAD_GATEWAY, error)),
        };
        *response.headers_mut() = end_to_end(response.headers());
        let (mut by, mut error) = (AnsweredBy::Receiver, None);
        if let Some(status) = status {
            by = AnsweredBy::Fault;
            error = Some(format!("the receiver answered {}", response.status()));
            *response.status_mut() = status;
        }
        Ok(Answered {
            response,
            by,
            error,
        })
    }
}

/// Reads the rest, which nobody wants: a client that still sends would not see the answer.
async fn too_large(mut body: Incoming, deadline: Instant) -> Answered {
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    // A client that takes longer than that has lost its answer.
    let _ = timeout_at(deadline, rest).await;
    let error = format!("the body is larger than {} MiB", LIMIT / (1024 * 1024));
    Answered::by_listen(StatusCode::PAYLOAD_TOO_LARGE, error)
}
