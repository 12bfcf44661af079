//! Posts as Cronofy does: the exact bytes, no redirects, an answer within the time limit.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout};
use tower_service::Service;

use crate::error::Error;
use crate::target::{Addresses, Target};

/// More of an answer is neither read nor shown.
const ANSWER_LIMIT: usize = 16 * 1024;

/// The body of a request: bytes, or something that takes its time.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

pub(crate) type Connector = HttpsConnector<HttpConnector<Resolver>>;

/// Posts to one URL. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Client {
    target: Target,
    client: legacy::Client<Connector, Body>,
}

impl Client {
    pub(crate) fn new(target: Target, addresses: Addresses, tls: ClientConfig) -> Self {
        let connector = connector(addresses, tls);
        let client = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Self { target, client }
    }

    /// Sends a request, and disconnects at the time limit.
    pub(crate) async fn send(&self, request: Request<Body>, limit: Duration) -> Exchange {
        let started = Instant::now();
        let mut status = None;
        let answer = match timeout(limit, self.exchange(request, &mut status)).await {
            Ok(Ok((status, text))) => Answer::Status(status, text),
            Ok(Err(failure)) => Answer::Failed(status, failure),
            Err(_) => Answer::TimedOut(status),
        };
        Exchange {
            answer,
            took: started.elapsed(),
        }
    }

    /// Sends a request to the URL, whatever its own is; returns the status and the start of the answer's body.
    ///
    /// The status is also stored as soon as it is known: the rest of the answer may not come.
    pub(crate) async fn exchange(
        &self,
        mut request: Request<Body>,
        status: &mut Option<StatusCode>,
    ) -> Result<(StatusCode, String), Failure> {
        *request.uri_mut() = self.target.uri().clone();
        let response = self.client.request(request).await;
        let response = response.map_err(|error| Failure::new(&error))?;
        let (head, mut body) = response.into_parts();
        *status = Some(head.status);
        let mut text = Vec::new();
        while text.len() < ANSWER_LIMIT {
            let Some(frame) = body.frame().await else {
                break;
            };
            let frame = frame.map_err(|error| Failure::new(&error))?;
            text.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
        }
        text.truncate(ANSWER_LIMIT);
        Ok((head.status, String::from_utf8_lossy(&text).into_owned()))
    }
}

/// Connects to these addresses, whatever the host is; HTTP/1.1.
pub(crate) fn connector(addresses: Addresses, tls: ClientConfig) -> Connector {
    let mut http = HttpConnector::new_with_resolver(Resolver(addresses));
    http.enforce_http(false);
    http.set_nodelay(true);
    HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http)
}

/// What came of a request.
pub(crate) struct Exchange {
    pub(crate) answer: Answer,
    pub(crate) took: Duration,
}

impl Exchange {
    /// What comes of a request to a host that has no address.
    pub(crate) fn unresolved(error: &Error) -> Self {
        let failure = Failure {
            text: error.to_string(),
            is_refused: false,
        };
        Self {
            answer: Answer::Failed(None, failure),
            took: Duration::ZERO,
        }
    }

    /// Whether Cronofy would take it for delivered.
    pub(crate) fn is_delivered(&self) -> bool {
        matches!(self.answer, Answer::Status(status, _) if status.is_success())
    }
}

pub(crate) enum Answer {
    /// A response, and the start of its body.
    Status(StatusCode, String),
    /// Nothing within the time limit, or no more than this status.
    TimedOut(Option<StatusCode>),
    /// No connection, no HTTP, or the connection broke after this status.
    Failed(Option<StatusCode>, Failure),
}

/// Why there was no answer.
pub(crate) struct Failure {
    pub(crate) text: String,
    /// Whether nothing listens there.
    pub(crate) is_refused: bool,
}

impl Failure {
    /// The innermost error tells what failed; those around it, that something did.
    pub(crate) fn new(mut error: &(dyn StdError + 'static)) -> Self {
        while let Some(source) = error.source() {
            error = source;
        }
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        Self {
            text: error.to_string(),
            is_refused: kind == Some(io::ErrorKind::ConnectionRefused),
        }
    }
}

/// Resolves every name to the addresses that were looked up before.
#[derive(Clone)]
pub(crate) struct Resolver(Addresses);

impl Service<Name> for Resolver {
    type Response = Box<dyn Iterator<Item = SocketAddr> + Send>;
    type Error = io::Error;
    type Future = Ready<Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(Box::new(self.0.iter())))
    }
}
