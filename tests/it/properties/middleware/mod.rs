use std::any::Any;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use arbitrary::{Arbitrary as _, Unstructured};
use bytes::Bytes;
use cronofy_webhook::{
    Background, CronofyWebhookLayer, Delivery, Overrun, Rejection, RejectionKind, Verifier,
};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tower::{Layer as _, ServiceExt as _, service_fn};

use self::exchange::{Exchange, Extension, HandlerEnd};
use self::model::{Answer, Course, End};
use crate::support::{Reply, Script};

mod exchange;
mod model;

const HELD: [&str; 2] = ["CRN_held", "CRN_held as well"];

/// Longer than anything takes. A paused clock skips it as soon as there is nothing else to wait for.
const AN_HOUR: Duration = Duration::from_secs(3600);

const OF_THE_HANDLER: &str = "of the handler";

/// The middleware does what the model says, to the millisecond; the handler gets the request as it was sent; and no task is
/// left in the end.
///
/// The input is an exchange, by `arbitrary`.
pub(crate) fn middleware(input: &[u8]) {
    let Ok(exchange) = Exchange::arbitrary(&mut Unstructured::new(input)) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let course = runtime.block_on(run(&exchange));
    assert_eq!(course, model::expected(&exchange), "{exchange:#?}");
    assert_eq!(runtime.metrics().num_alive_tasks(), 0, "{exchange:#?}");
}

async fn run(exchange: &Exchange) -> Course {
    let background = Background::new();
    let (log, mut events) = mpsc::unbounded_channel();
    let service = layer(exchange, &background).layer({
        let (takes, end) = (exchange.handler.takes, exchange.handler.end);
        service_fn(move |request: Request<Script>| {
            let handler = Handler::new(request, log.clone());
            async move { handler.work(takes, end).await }
        })
    });

    let started = Instant::now();
    let answer = caught(service.oneshot(exchange.request()));
    let answer = timeout(exchange.disconnect.unwrap_or(AN_HOUR), answer).await;
    let answer = (self::answer(answer.ok()).await, started.elapsed());

    timeout(AN_HOUR, background.wait())
        .await
        .expect("the background ends");
    let idle = started.elapsed();

    let mut handler = None;
    if let Ok((event, called)) = events.try_recv() {
        let Event::Called(request) = event else {
            panic!("ended and was not called");
        };
        is_as_sent(*request, exchange).await;
        let Ok((Event::Ended(end), ended)) = events.try_recv() else {
            panic!("called more than once, or never ended");
        };
        assert_eq!(idle, ended.duration_since(started).max(answer.1));
        handler = Some((called - started, end, ended - started));
    }
    assert!(events.try_recv().is_err(), "called more than once");
    Course { answer, handler }
}

fn layer(exchange: &Exchange, background: &Background) -> CronofyWebhookLayer {
    CronofyWebhookLayer::from_verifier(Verifier::new(HELD).expect("none is blank"))
        .body_limit(exchange.limit())
        .budget(exchange.budget)
        .overrun(exchange.overrun)
        .grace(exchange.grace)
        .background(background.clone())
}

enum Event {
    Called(Box<Request<Script>>),
    Ended(End),
}

/// The future of the inner service. Reports how it ends.
struct Handler {
    log: mpsc::UnboundedSender<(Event, Instant)>,
    end: End,
}

impl Handler {
    fn new(request: Request<Script>, log: mpsc::UnboundedSender<(Event, Instant)>) -> Self {
        let handler = Self {
            log,
            end: End::Dropped,
        };
        handler.tell(Event::Called(request.into()));
        handler
    }

    fn tell(&self, event: Event) {
        // The receiver is gone once the property has failed.
        let _ = self.log.send((event, Instant::now()));
    }

    async fn work(mut self, takes: Duration, end: HandlerEnd) -> Result<Reply, &'static str> {
        if !takes.is_zero() {
            sleep(takes).await;
        }
        if let HandlerEnd::Hang = end {
            pending::<()>().await;
        }
        self.end = End::Finished;
        match end {
            HandlerEnd::Answer(status) => Ok(own_answer(status)),
            HandlerEnd::Fail => Err(OF_THE_HANDLER),
            // Without the panic hook, which ends the process under the fuzzer.
            HandlerEnd::Panic | HandlerEnd::Hang => resume_unwind(Box::new(OF_THE_HANDLER)),
        }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        let end = std::mem::replace(&mut self.end, End::Dropped);
        self.tell(Event::Ended(end));
    }
}

fn own_answer(status: u16) -> Reply {
    Response::builder()
        .status(status)
        .header("x-header", OF_THE_HANDLER)
        .body(Full::from(OF_THE_HANDLER))
        .expect("a response")
}

type Panic = Box<dyn Any + Send>;

/// Turns a panic into a value.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Panic> {
    let mut future = pin!(future);
    poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        },
    )
    .await
}

async fn answer(answer: Option<Result<Result<Reply, &'static str>, Panic>>) -> Answer {
    let answer = match answer {
        None => return Answer::Disconnected,
        Some(Err(panic)) if panic.downcast_ref() == Some(&OF_THE_HANDLER) => {
            return Answer::HandlerPanic;
        }
        Some(Err(panic)) => resume_unwind(panic),
        Some(Ok(Err(error))) => {
            assert_eq!(error, OF_THE_HANDLER);
            return Answer::HandlerError;
        }
        Some(Ok(Ok(answer))) => answer,
    };
    let status = answer.status().as_u16();
    let rejection = answer.extensions().get().map(Rejection::kind);
    match (answer.extensions().get::<Overrun>().copied(), rejection) {
        (Some(overrun), rejection) => {
            let accepted = overrun == Overrun::Accept;
            let expected = (!accepted).then_some(RejectionKind::HandlerTimeout);
            assert_eq!(rejection, expected);
            Answer::Late { status, overrun }
        }
        (None, Some(kind)) => Answer::Rejected { status, kind },
        (None, None) => {
            let own = own_answer(status);
            assert_eq!(answer.headers(), own.headers());
            assert_eq!(collected(answer).await, collected(own).await);
            Answer::Handler { status }
        }
    }
}

async fn collected(answer: Reply) -> Bytes {
    let collected = answer.into_body().collect().await;
    collected.expect("it is in memory").to_bytes()
}

async fn is_as_sent(request: Request<Script>, exchange: &Exchange) {
    let sent = exchange.request();
    assert_eq!(request.method(), sent.method());
    assert_eq!(request.uri(), sent.uri());
    assert_eq!(request.headers(), sent.headers());
    assert_eq!(request.extensions().get(), Some(&Extension));
    let delivery: &Delivery = request.extensions().get().expect("it was checked");
    assert_eq!(delivery.body(), &exchange.data());
    let body = request.into_body().collect().await.expect("replayed");
    assert_eq!(body.trailers(), None);
    assert_eq!(body.to_bytes(), exchange.data());
}
