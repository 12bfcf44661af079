//! Posts as Cronofy does: the exact bytes, no redirects, an answer within the time limit.

use std::error::Error as StdError;
use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout};
use tower_service::Service;

use crate::error::Error;
use crate::target::{Addresses, Target};

/// More of an answer is neither read nor shown.
const ANSWER_LIMIT: usize = 16 * 1024;

/// Posts to one URL. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Client {
    target: Target,
    client: legacy::Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
}

impl Client {
    pub(crate) fn new(target: Target, addresses: Addresses) -> Result<Self, Error> {
        let mut http = HttpConnector::new_with_resolver(Resolver(addresses));
        http.enforce_http(false);
        http.set_nodelay(true);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls_config()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = legacy::Client::builder(TokioExecutor::new()).build(https);
        Ok(Self { target, client })
    }

    /// Sends a request to the URL, whatever its own is.
    pub(crate) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Exchange {
        *request.uri_mut() = self.target.uri().clone();
        let started = Instant::now();
        let answer = timeout(limit, self.exchange(request)).await;
        Exchange {
            answer: match answer {
                Ok(Ok((status, text))) => Answer::Status(status, text),
                Ok(Err(error)) => failure(&*error),
                Err(_) => Answer::TimedOut,
            },
            took: started.elapsed(),
        }
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, String), Box<dyn StdError + Send + Sync>> {
        let response = self.client.request(request).await?;
        let status = response.status();
        let mut body = Limited::new(response.into_body(), ANSWER_LIMIT);
        let mut text = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => text.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new())),
                Err(error) if error.is::<http_body_util::LengthLimitError>() => break,
                Err(error) => return Err(error),
            }
        }
        Ok((status, String::from_utf8_lossy(&text).into_owned()))
    }
}

/// What came of a request.
pub(crate) struct Exchange {
    pub(crate) answer: Answer,
    pub(crate) took: Duration,
}

impl Exchange {
    /// Whether Cronofy would take it for delivered.
    pub(crate) fn is_delivered(&self) -> bool {
        matches!(self.answer, Answer::Status(status, _) if status.is_success())
    }
}

pub(crate) enum Answer {
    /// A response, and the start of its body.
    Status(StatusCode, String),
    /// Nothing within the time limit.
    TimedOut,
    /// No connection, as nothing listens there.
    ConnectionRefused(String),
    /// Another error of the connection.
    Failed(String),
}

/// Resolves every name to the addresses that were looked up before.
#[derive(Clone)]
struct Resolver(Addresses);

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

fn tls_config() -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::failed)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The innermost error tells what failed; those around it, that something did.
fn failure(mut error: &(dyn StdError + 'static)) -> Answer {
    while let Some(source) = error.source() {
        error = source;
    }
    let text = error.to_string();
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Answer::ConnectionRefused(text),
        _ => Answer::Failed(text),
    }
}
