//! The receiver that requests are sent on to.

use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::LIMIT;
use crate::client::{Connector, Failure, connector};
use crate::target::{Addresses, Target};

/// How long a connection may take, of which nothing but that is asked.
const LISTENS: Duration = Duration::from_secs(1);

/// Sends each request once, on a connection of its own: one that is kept can be closed by the receiver at any time, and the
/// request would have to be sent again.
pub(super) struct Receiver {
    target: Target,
    addresses: Addresses,
    client: legacy::Client<Connector, Full<Bytes>>,
}

impl Receiver {
    pub(super) fn new(target: Target, addresses: Addresses, tls: ClientConfig) -> Self {
        let client = legacy::Client::builder(TokioExecutor::new())
            .http1_preserve_header_case(true)
            .set_host(false)
            .retry_canceled_requests(false)
            .pool_max_idle_per_host(0)
            .build(connector(addresses.clone(), tls));
        Self {
            target,
            addresses,
            client,
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Whether a connection can be made.
    pub(super) async fn listens(&self) -> bool {
        for address in self.addresses.iter() {
            if let Ok(Ok(_)) = timeout(LISTENS, TcpStream::connect(address)).await {
                return true;
            }
        }
        false
    }

    /// Sends a request to its path at the origin of the receiver, and waits for the whole answer; or says why there is none.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, String> {
        let mut uri = self.target.uri().clone().into_parts();
        uri.path_and_query = Some(match request.uri().path_and_query() {
            Some(path) => path.clone(),
            None => PathAndQuery::from_static("/"),
        });
        *request.uri_mut() = Uri::from_parts(uri).map_err(|error| error.to_string())?;
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| {
            let what = if error.is_connect() {
                "no connection to"
            } else {
                "no answer from"
            };
            self.failed(what, &Failure::new(&error))
        })?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, LIMIT).collect().await;
        let body =
            body.map_err(|error| self.failed("no whole answer from", &Failure::new(&*error)))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    fn failed(&self, what: &str, failure: &Failure) -> String {
        let (host, port) = (self.target.host(), self.target.port());
        format!("{what} the receiver at {host}:{port}: {}", failure.text)
    }
}
