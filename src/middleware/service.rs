use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CONTENT_LENGTH, HeaderMap};
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer as _;
use tower_service::Service;

use super::config::Config;
use super::{CronofyWebhookLayer, FromBytes, ResponseFuture, report};
use crate::rejection::Rejection;
use crate::secret::Secret;
use crate::signature::{self, SignatureError};

/// Middleware that passes only authentic deliveries to the inner service, and responds within the deadline.
///
/// See the [module docs](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct CronofyWebhook<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S> CronofyWebhook<S> {
    /// Wraps `inner`, with the default settings and one client secret.
    ///
    /// For other settings use a [`CronofyWebhookLayer`].
    ///
    /// # Panics
    ///
    /// If the secret is blank.
    #[track_caller]
    pub fn new(inner: S, secret: impl Into<Secret>) -> Self {
        CronofyWebhookLayer::new(secret).layer(inner)
    }

    pub(super) fn with_config(inner: S, config: Arc<Config>) -> Self {
        Self { inner, config }
    }

    /// A reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// A mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, R> Service<Request<B>> for CronofyWebhook<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send + 'static,
    B: Body + FromBytes,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    R: FromBytes,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    /// Always ready: the readiness of the inner service is awaited within the deadline, once the delivery is verified.
    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let config = Arc::clone(&self.config);
        match admit(&request, config.body_limit) {
            Ok(()) => ResponseFuture::read(request, self.inner.clone(), config),
            Err(rejection) => {
                report::rejected(&rejection, request.headers(), 0, &config.limiter);
                ResponseFuture::rejected(rejection, config)
            }
        }
    }
}

/// Rejects what the head of the request suffices to reject, before any of the body is read.
fn admit<B: Body>(request: &Request<B>, limit: usize) -> Result<(), Rejection> {
    if !signature::is_signed(request.headers()) {
        return Err(SignatureError::Missing.into());
    }
    let declared = content_length(request.headers())
        .unwrap_or(0)
        .max(request.body().size_hint().lower());
    if usize::try_from(declared).is_ok_and(|declared| declared <= limit) {
        Ok(())
    } else {
        Err(Rejection::body_limit(limit))
    }
}

/// The length that the client declared.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
