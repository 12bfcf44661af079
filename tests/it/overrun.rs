//! Guarantee: a handler that has started outlives the request.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::{Background, CronofyWebhookLayer, Overrun};
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tracing::Level;

use crate::log::Log;
use crate::support::{CHANGE, Calls, Reply, SIX_SECONDS, Script, Step, genuine, layer, signed};

/// What a handler did, in order.
#[derive(Debug, PartialEq)]
enum Did {
    Start,
    Finish,
    /// Was dropped before it finished.
    Drop,
}

struct Handler {
    log: mpsc::UnboundedSender<Did>,
    finished: bool,
}

impl Drop for Handler {
    fn drop(&mut self) {
        if !self.finished {
            let _ = self.log.send(Did::Drop);
        }
    }
}

/// A service with a slow handler, and what it did.
fn slow(
    layer: &CronofyWebhookLayer,
    time: Duration,
) -> (
    impl tower::Service<Request<Full<Bytes>>, Response = Reply, Error = Infallible, Future: Send>
    + Clone
    + use<>,
    mpsc::UnboundedReceiver<Did>,
) {
    let (log, did) = mpsc::unbounded_channel();
    let service = layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
        let log = log.clone();
        async move {
            let mut handler = Handler {
                log,
                finished: false,
            };
            handler.log.send(Did::Start).unwrap();
            sleep(time).await;
            handler.log.send(Did::Finish).unwrap();
            handler.finished = true;
            Ok(Response::default())
        }
    }));
    (service, did)
}

fn so_far(did: &mut mpsc::UnboundedReceiver<Did>) -> Vec<Did> {
    std::iter::from_fn(|| did.try_recv().ok()).collect()
}

#[tokio::test(start_paused = true)]
async fn finish_and_accept_let_a_late_handler_finish_in_the_background() {
    for (overrun, status) in [(Overrun::Finish, 503), (Overrun::Accept, 202)] {
        let background = Background::new();
        let layer = layer().overrun(overrun).background(background.clone());
        let (service, mut did) = slow(&layer, SIX_SECONDS);
        let started = Instant::now();

        assert_eq!(service.oneshot(genuine()).await.unwrap().status(), status);
        assert_eq!(so_far(&mut did), [Did::Start]);
        assert_eq!(background.len(), 1);

        background.wait().await;
        assert_eq!(so_far(&mut did), [Did::Finish]);
        assert_eq!(started.elapsed(), SIX_SECONDS);
    }
}

#[tokio::test(start_paused = true)]
async fn cancel_drops_a_late_handler() {
    let background = Background::new();
    let layer = layer()
        .overrun(Overrun::Cancel)
        .background(background.clone());
    let (service, mut did) = slow(&layer, SIX_SECONDS);

    assert_eq!(service.oneshot(genuine()).await.unwrap().status(), 503);
    assert_eq!(so_far(&mut did), [Did::Start, Did::Drop]);
    assert_eq!(background.len(), 0);
}

/// Drops a delivery after a second, as a server does when the client disconnects.
async fn disconnect(answer: impl Future<Output = Result<Reply, Infallible>>) {
    tokio::select! {
        _ = answer => panic!("answered before it was dropped"),
        () = sleep(Duration::from_secs(1)) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_request_does_not_stop_the_handler() {
    for overrun in [Overrun::Finish, Overrun::Accept] {
        let background = Background::new();
        let layer = layer().overrun(overrun).background(background.clone());
        let (service, mut did) = slow(&layer, SIX_SECONDS);
        let started = Instant::now();

        disconnect(service.oneshot(genuine())).await;
        assert_eq!(so_far(&mut did), [Did::Start]);

        background.wait().await;
        assert_eq!(so_far(&mut did), [Did::Finish]);
        assert_eq!(started.elapsed(), SIX_SECONDS);
    }
}

#[tokio::test(start_paused = true)]
async fn with_cancel_a_dropped_request_drops_the_handler() {
    let (service, mut did) = slow(&layer().overrun(Overrun::Cancel), SIX_SECONDS);
    disconnect(service.oneshot(genuine())).await;
    assert_eq!(so_far(&mut did), [Did::Start, Did::Drop]);
}

#[tokio::test(start_paused = true)]
async fn a_request_dropped_while_its_body_is_read_starts_no_handler() {
    let background = Background::new();
    let (sender, mut called) = mpsc::unbounded_channel();
    let service =
        layer()
            .background(background.clone())
            .layer(service_fn(move |_: Request<Script>| {
                sender.send(()).unwrap();
                async { Ok::<Reply, Infallible>(Response::default()) }
            }));
    let body = Script::new([Step::Data(CHANGE[..10].into()), Step::Hang]);
    disconnect(service.oneshot(signed(CHANGE, body))).await;

    background.wait().await;
    assert!(called.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_grace_bounds_background_work() {
    let background = Background::new();
    let layer = layer()
        .grace(Duration::from_secs(10))
        .background(background.clone());
    let (service, mut did) = slow(&layer, Duration::MAX);
    let started = Instant::now();

    assert_eq!(service.oneshot(genuine()).await.unwrap().status(), 503);
    background.wait().await;
    assert_eq!(so_far(&mut did), [Did::Start, Did::Drop]);
    assert_eq!(started.elapsed(), Duration::from_secs(4 + 10));
}

#[tokio::test(start_paused = true)]
async fn the_default_grace_is_30_seconds() {
    for (time, end) in [(34, Did::Finish), (35, Did::Drop)] {
        let background = Background::new();
        let layer = layer().background(background.clone());
        let (service, mut did) = slow(&layer, Duration::from_secs(time));
        service.oneshot(genuine()).await.unwrap();
        background.wait().await;
        assert_eq!(so_far(&mut did), [Did::Start, end]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_grace_does_not_overflow() {
    let background = Background::new();
    let layer = layer().grace(Duration::MAX).background(background.clone());
    let (service, mut did) = slow(&layer, SIX_SECONDS);
    service.oneshot(genuine()).await.unwrap();
    background.wait().await;
    assert_eq!(so_far(&mut did), [Did::Start, Did::Finish]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_in_time_spawns_no_task() {
    let background = Background::new();
    let layer = layer().background(background.clone());
    let (service, mut did) = slow(&layer, Duration::from_secs(1));
    assert_eq!(service.oneshot(genuine()).await.unwrap().status(), 200);
    assert_eq!(so_far(&mut did), [Did::Start, Did::Finish]);
    assert_eq!(background.len(), 0);
}

/// A handler that panics after some time.
fn panicking(
    layer: &CronofyWebhookLayer,
    after: Duration,
) -> impl tower::Service<Request<Full<Bytes>>, Response = Reply, Error = Infallible, Future: Send>
+ Clone
+ use<> {
    layer.layer(service_fn(move |_: Request<Full<Bytes>>| async move {
        sleep(after).await;
        panic!("of the handler")
    }))
}

#[tokio::test(start_paused = true)]
async fn a_panic_propagates_and_the_handler_is_not_polled_again() {
    let background = Background::new();
    let polls = Calls::default();
    let counted = polls.clone();
    let service =
        layer()
            .background(background.clone())
            .layer(service_fn(move |_: Request<Full<Bytes>>| {
                let polls = counted.clone();
                poll_fn(move |_| -> Poll<Result<Reply, Infallible>> {
                    polls.add();
                    panic!("of the handler")
                })
            }));
    let caught = tokio::spawn(service.oneshot(genuine())).await.unwrap_err();
    assert_eq!(
        *caught.into_panic().downcast::<&str>().unwrap(),
        "of the handler"
    );

    background.wait().await;
    assert_eq!(polls.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_handler_that_panics_in_drop_does_not_cost_the_response() {
    struct PanicsInDrop;
    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic!("of the handler");
        }
    }
    let service =
        layer()
            .overrun(Overrun::Cancel)
            .layer(service_fn(|_: Request<Full<Bytes>>| async {
                let _guard = PanicsInDrop;
                std::future::pending::<Result<Reply, Infallible>>().await
            }));
    let (log, _guard) = Log::start();
    assert_eq!(service.oneshot(genuine()).await.unwrap().status(), 503);
    assert_eq!(log.events().len(), 2);
    log.events()[1].is(Level::ERROR, &[("kind", "change")]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_background_affects_nothing_else() {
    let background = Background::new();
    let layer = layer().background(background.clone());
    let service = panicking(&layer, SIX_SECONDS);
    assert_eq!(
        service.clone().oneshot(genuine()).await.unwrap().status(),
        503
    );
    background.wait().await;
    assert_eq!(service.oneshot(genuine()).await.unwrap().status(), 503);
}

#[test]
fn a_future_dropped_outside_the_runtime_continues_inside_it() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let background = Background::new();
    let (service, mut did) = slow(&layer().background(background.clone()), SIX_SECONDS);
    let mut answer = Box::pin(service.oneshot(genuine()));
    runtime.block_on(async {
        assert!(
            tokio::time::timeout(Duration::from_secs(1), &mut answer)
                .await
                .is_err()
        );
    });
    drop(answer);
    runtime.block_on(background.wait());
    assert_eq!(so_far(&mut did), [Did::Start, Did::Finish]);
}

#[test]
fn a_runtime_shutdown_drops_background_handlers() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let (service, mut did) = slow(&layer().budget(Duration::from_millis(1)), Duration::MAX);
    let (idle, mut idle_did) = slow(&layer(), Duration::MAX);
    let status = runtime.block_on(async {
        // Still waiting for its handler when the runtime is dropped.
        tokio::spawn(idle.oneshot(genuine()));
        assert_eq!(idle_did.recv().await, Some(Did::Start));
        service.oneshot(genuine()).await.unwrap().status()
    });
    assert_eq!(status, 503);

    drop(runtime);
    assert_eq!(so_far(&mut did), [Did::Start, Did::Drop]);
    assert_eq!(so_far(&mut idle_did), [Did::Drop]);
}
