use std::error::Error;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::ResponseFuture;
use super::config::Config;
use crate::rejection::Rejection;
use crate::signature::{self, SignatureError};

/// [`Service`] that lets only what Cronofy has signed reach the inner one, and answers in time.
///
/// Made by [`CronofyWebhookLayer`](super::CronofyWebhookLayer). See the [module docs](super).
#[derive(Clone, Debug)]
pub struct CronofyWebhook<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S> CronofyWebhook<S> {
    pub(super) fn new(inner: S, config: Arc<Config>) -> Self {
        Self { inner, config }
    }
}

impl<S, B, R> Service<Request<B>> for CronofyWebhook<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send + 'static,
    B: Body + From<Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    R: From<Bytes>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The inner service was polled ready and its clone was not, so it is the clone that stays behind. A refusal
        // drops the ready one as well, and with it what readiness holds (a permit of a concurrency limit, say). See
        // https://docs.rs/tower-service/latest/tower_service/trait.Service.html#be-careful-when-cloning-inner-services
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        let config = Arc::clone(&self.config);

        match admit(&request, config.body_limit) {
            Ok(()) => ResponseFuture::read(request, inner, config),
            Err(rejection) => ResponseFuture::refused(rejection, config),
        }
    }
}

/// What can be told from the head of the request, before any of the body is read.
fn admit<B: Body>(request: &Request<B>, limit: usize) -> Result<(), Rejection> {
    if !signature::is_signed(request.headers()) {
        return Err(SignatureError::Missing.into());
    }
    let declared = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .unwrap_or(0)
        .max(request.body().size_hint().lower());
    if usize::try_from(declared).is_ok_and(|declared| declared <= limit) {
        Ok(())
    } else {
        Err(Rejection::body_too_large(limit))
    }
}
