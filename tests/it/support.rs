//! What the tests share: a secret, requests, handlers, and a body that follows a script.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{CronofyWebhookLayer, Verifier};
use cronofy_webhook_testing::Sender;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Sleep, sleep};

pub(crate) const SECRET: &str = "CRN_NggYusqPGLxwjw5FHOJYOqSrTPNXy8WQf14OID";
pub(crate) const OTHER_SECRET: &str = "CRN_nGlYDFXwfSXgB9rvGNBJyfE454GGPtWIbNuPwr";

/// A `change`, as Cronofy's documentation prints it.
pub(crate) const CHANGE: &[u8] = include_bytes!("../../crates/testing/samples/push-change.json");

/// Longer than the budget, shorter than the grace.
pub(crate) const SIX_SECONDS: Duration = Duration::from_secs(6);

/// Where requests go.
const TARGET: &str = "/cronofy/42?source=cronofy";

pub(crate) type Reply = Response<Full<Bytes>>;

pub(crate) fn verifier() -> Verifier {
    Verifier::new([SECRET]).unwrap()
}

pub(crate) fn layer() -> CronofyWebhookLayer {
    CronofyWebhookLayer::new(SECRET)
}

/// A request as Cronofy sends it, with a body of any type.
pub(crate) fn signed<B>(signature_of: &[u8], body: B) -> Request<B> {
    Request::post(TARGET)
        .header("content-type", "application/json; charset=utf-8")
        .header(HEADER, verifier().sign(signature_of))
        .body(body)
        .unwrap()
}

/// A genuine `change`.
pub(crate) fn genuine() -> Request<Full<Bytes>> {
    Sender::new(SECRET).to(TARGET).request(CHANGE)
}

/// A `change` with the signature of another body.
pub(crate) fn forged() -> Request<Full<Bytes>> {
    signed(b"another body", CHANGE.into())
}

/// A `change` without a signature.
pub(crate) fn unsigned() -> Request<Full<Bytes>> {
    without_signature(genuine())
}

pub(crate) fn without_signature<B>(mut request: Request<B>) -> Request<B> {
    request.headers_mut().remove(HEADER);
    request
}

/// Headers with the signature of a `change`.
pub(crate) fn headers() -> HeaderMap {
    HeaderMap::from_iter([(HEADER, verifier().sign(CHANGE))])
}

pub(crate) async fn text(response: Reply) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// A service that responds after a while.
pub(crate) fn slow<B: Send + 'static>(
    time: Duration,
) -> impl tower::Service<Request<B>, Response = Reply, Error = Infallible, Future: Send + 'static>
+ Clone
+ use<B> {
    tower::service_fn(move |_: Request<B>| async move {
        sleep(time).await;
        Ok(Response::default())
    })
}

/// Counts the calls of a handler.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<AtomicUsize>);

impl Calls {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A handler that counts its calls and responds with 200 at once.
pub(crate) fn handler<B: Send + 'static>(
    calls: &Calls,
) -> impl tower::Service<Request<B>, Response = Reply, Error = Infallible, Future: Send + 'static>
+ Clone
+ use<B> {
    let calls = calls.clone();
    tower::service_fn(move |_: Request<B>| {
        calls.add();
        async { Ok(Response::new(Full::default())) }
    })
}

/// A body whose frames are scripted.
#[derive(Default)]
pub(crate) struct Script {
    steps: VecDeque<Step>,
    pause: Option<Pin<Box<Sleep>>>,
    declared: Option<u64>,
    polls: Calls,
}

pub(crate) enum Step {
    Data(Bytes),
    Trailers(HeaderMap),
    Fail(&'static str),
    FailWith(Box<dyn std::error::Error + Send + Sync>),
    Pause(Duration),
    /// Pending for ever.
    Hang,
    /// Empty frames without end, all ready at once.
    EmptyForever,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn declaring(mut self, length: u64) -> Self {
        self.declared = Some(length);
        self
    }

    /// How often the body was polled.
    pub(crate) fn polls(&self) -> Calls {
        self.polls.clone()
    }
}

impl From<Bytes> for Script {
    fn from(bytes: Bytes) -> Self {
        Self::new([Step::Data(bytes)])
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.polls.add();
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            return Poll::Ready(match self.steps.pop_front() {
                None => None,
                Some(Step::Data(data)) => Some(Ok(Frame::data(data))),
                Some(Step::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
                Some(Step::Fail(why)) => Some(Err(why.into())),
                Some(Step::FailWith(why)) => Some(Err(why)),
                Some(Step::Pause(time)) => {
                    self.pause = Some(Box::pin(sleep(time)));
                    continue;
                }
                Some(Step::Hang) => {
                    self.steps.push_front(Step::Hang);
                    return Poll::Pending;
                }
                Some(Step::EmptyForever) => {
                    self.steps.push_front(Step::EmptyForever);
                    Some(Ok(Frame::data(Bytes::new())))
                }
            });
        }
    }

    // As a chunked body.
    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        self.declared
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
