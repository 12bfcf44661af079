//! A client of Cronofy's API.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::event::Page;

/// For the whole answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Far more than a page.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;

/// An API host. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    origin: String,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// Any other answer than 200.
    Refused {
        status: StatusCode,
        retry_after: Option<Duration>,
    },
    /// The answer is not what is documented.
    Malformed(serde_json::Error),
    /// There is no answer.
    Failed(Box<dyn StdError + Send + Sync>),
}

impl Api {
    /// Of this scheme and host: `https://api.cronofy.com`.
    pub(crate) fn new(origin: &str) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .build();
        Self {
            origin: origin.trim_end_matches('/').to_owned(),
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    /// Reads one page. `url` is a path, or the `next_page` of another page. Of that only the path is used: the token is for
    /// this host.
    pub(crate) async fn page(&self, token: &str, url: &str) -> Result<Page, ApiError> {
        let body = timeout(TIMEOUT, self.get(token, url)).await;
        let body = body.map_err(|elapsed| ApiError::Failed(elapsed.into()))??;
        Page::parse(&body).map_err(ApiError::Malformed)
    }

    async fn get(&self, token: &str, url: &str) -> Result<Bytes, ApiError> {
        let request = self.request(token, url).map_err(ApiError::Failed)?;
        let response = self.client.request(request).await;
        let response = response.map_err(|error| ApiError::Failed(error.into()))?;
        if response.status() != StatusCode::OK {
            return Err(ApiError::Refused {
                status: response.status(),
                retry_after: retry_after(response.headers()),
            });
        }
        let body = Limited::new(response.into_body(), ANSWER_LIMIT)
            .collect()
            .await;
        Ok(body.map_err(ApiError::Failed)?.to_bytes())
    }

    fn request(
        &self,
        token: &str,
        url: &str,
    ) -> Result<Request<Empty<Bytes>>, Box<dyn StdError + Send + Sync>> {
        let url: Uri = url.parse()?;
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let mut token = HeaderValue::try_from(format!("Bearer {token}"))?;
        token.set_sensitive(true);
        let request = Request::get(format!("{}{path}", self.origin)).header(AUTHORIZATION, token);
        Ok(request.body(Empty::new())?)
    }
}

/// In seconds. The form with a date is not used by APIs.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

impl ApiError {
    /// Whether the account [has to be authorised again](https://docs.cronofy.com/developers/api/error-codes/): another attempt
    /// would fail as well.
    pub(crate) fn is_unauthorized(&self) -> bool {
        let Self::Refused { status, .. } = self else {
            return false;
        };
        matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }

    /// How long to wait before the next attempt: what the API says, or 1 second doubling to 10 minutes, each up to a fifth
    /// shorter or longer.
    pub(crate) fn backoff(&self, attempt: u32) -> Duration {
        if let Self::Refused {
            retry_after: Some(retry_after),
            ..
        } = self
        {
            return *retry_after;
        }
        let seconds = 600.min(1_u32 << attempt.saturating_sub(1).min(10));
        Duration::from_secs(seconds.into()).mul_f64(0.8 + 0.4 * fastrand::f64())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status, .. } => write!(f, "the API answered {status}"),
            Self::Malformed(_) => f.write_str("the answer of the API is malformed"),
            Self::Failed(_) => f.write_str("no answer of the API"),
        }
    }
}

impl StdError for ApiError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Refused { .. } => None,
            Self::Malformed(error) => Some(error),
            Self::Failed(error) => Some(&**error),
        }
    }
}
