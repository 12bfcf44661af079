//! Readiness: the inner service is polled ready within the deadline, and what was polled ready is called.

use std::convert::Infallible;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::middleware::ResponseFuture;
use cronofy_webhook::{
    Background, CronofyWebhook, CronofyWebhookLayer, Delivery, Notification, Overrun, Rejection,
    RejectionKind, Secret, Verifier,
};
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::Notify;
use tokio::time::{Instant, advance, timeout};
use tower::limit::{ConcurrencyLimitLayer, GlobalConcurrencyLimitLayer};
use tower::load_shed::LoadShedLayer;
use tower::load_shed::error::Overloaded;
use tower::{Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};
use tower_test::mock;

use crate::support::{
    CHANGE, Calls, Reply, Script, Step, forged, genuine, handler, layer, signed, unsigned,
};

#[tokio::test]
async fn the_inner_service_is_called_once_it_is_ready() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<Full<Bytes>>, Reply, _>(layer());
    handle.allow(0);
    assert!(service.poll_ready().is_ready());
    let mut answer = tokio_test::task::spawn(service.call(genuine()));
    assert!(answer.poll().is_pending());
    assert!(
        tokio_test::task::spawn(handle.next_request())
            .poll()
            .is_pending()
    );

    handle.allow(1);
    assert!(answer.is_woken());
    assert!(answer.poll().is_pending());
    let (received, respond) = handle.next_request().await.unwrap();
    assert_eq!(received.uri(), "/cronofy/42?source=cronofy");
    assert!(received.extensions().get::<Delivery>().is_some());
    respond.send_response(Response::new(Full::from("done")));
    assert_eq!(answer.await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_error_from_poll_ready_is_returned() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<Full<Bytes>>, Reply, _>(layer());
    handle.send_error("worn out");
    assert!(service.poll_ready().is_ready());
    let error = service.call(genuine()).await.unwrap_err();
    assert_eq!(error.to_string(), "worn out");
}

/// A service with a limit of one, which is taken.
async fn busy(
    layer: CronofyWebhookLayer,
) -> (
    impl Service<Request<Script>, Response = Reply, Error = Infallible, Future: Send> + Clone,
    Calls,
) {
    let calls = Calls::default();
    let counted = calls.clone();
    let never = service_fn(move |_: Request<Script>| {
        counted.add();
        pending::<Result<Reply, Infallible>>()
    });
    let service = ServiceBuilder::new()
        .layer(layer)
        .layer(ConcurrencyLimitLayer::new(1))
        .service(never);
    let late = service
        .clone()
        .oneshot(signed(CHANGE, Script::new([Step::Data(CHANGE.into())])));
    assert_eq!(late.await.unwrap().status(), 503);
    (service, calls)
}

fn change() -> Request<Script> {
    signed(CHANGE, Script::new([Step::Data(CHANGE.into())]))
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_ready_within_the_deadline_gets_503_under_every_policy() {
    for overrun in [Overrun::Finish, Overrun::Accept, Overrun::Cancel] {
        // The late handler keeps its permit in the background, so `Cancel` needs one that holds it.
        let calls = Calls::default();
        let limit = GlobalConcurrencyLimitLayer::new(1);
        let service = ServiceBuilder::new()
            .layer(layer().overrun(overrun))
            .layer(limit.clone())
            .service(handler(&calls));
        let mut holder = limit.layer(handler::<()>(&calls));
        let _held = holder.ready().await.unwrap();

        let started = Instant::now();
        let response = service.oneshot(change()).await.unwrap();
        assert_eq!(started.elapsed(), Duration::from_secs(4), "{overrun:?}");
        assert_eq!(response.status(), 503);
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert_eq!(rejection.kind(), RejectionKind::NotReady);
        assert_eq!(calls.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_behind_a_late_handler_gets_a_response_within_the_deadline() {
    let (service, calls) = busy(layer()).await;
    let started = Instant::now();
    assert_eq!(service.oneshot(change()).await.unwrap().status(), 503);
    assert_eq!(started.elapsed(), Duration::from_secs(4));
    assert_eq!(calls.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unauthenticated_client_holds_no_permit() {
    let calls = Calls::default();
    let service = ServiceBuilder::new()
        .layer(layer())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(handler(&calls));
    let trickle = Script::new([Step::Data(CHANGE[..10].into()), Step::Hang]);
    let mut trickling = Box::pin(service.clone().oneshot(signed(b"another body", trickle)));
    assert!(timeout(Duration::ZERO, &mut trickling).await.is_err());

    let started = Instant::now();
    assert_eq!(service.oneshot(change()).await.unwrap().status(), 200);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(trickling.await.unwrap().status(), 408);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_started_when_readiness_comes_after_the_deadline() {
    let calls = Calls::default();
    /// Is ready after time passed within one poll, as if the thread was blocked.
    #[derive(Clone)]
    struct Late<S>(S);
    impl<S: Service<Request<Script>>> Service<Request<Script>> for Late<S> {
        type Response = S::Response;
        type Error = S::Error;
        type Future = S::Future;
        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
            let _ = std::pin::pin!(advance(Duration::from_secs(6))).poll(cx);
            self.0.poll_ready(cx)
        }
        fn call(&mut self, request: Request<Script>) -> S::Future {
            self.0.call(request)
        }
    }
    let service = layer().layer(Late(handler(&calls)));
    let response = service.oneshot(change()).await.unwrap();
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.kind(), RejectionKind::NotReady);
    assert_eq!(calls.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_dropped_while_waiting_is_not_started() {
    let calls = Calls::default();
    let background = Background::new();
    let limit = GlobalConcurrencyLimitLayer::new(1);
    let service = ServiceBuilder::new()
        .layer(layer().background(background.clone()))
        .layer(limit.clone())
        .service(handler(&calls));
    let mut holder = limit.layer(handler::<()>(&calls));
    holder.ready().await.unwrap();
    let waiting = service.clone().oneshot(change());
    assert!(timeout(Duration::from_secs(1), waiting).await.is_err());
    drop(holder);
    assert_eq!((calls.count(), background.len()), (0, 0));

    // Its place in the queue for the permit is free again.
    assert_eq!(service.oneshot(change()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn polling_after_completion_panics() {
    let calls = Calls::default();
    for request in [genuine(), forged(), unsigned()] {
        let mut service = layer().layer(handler(&calls));
        let mut answer = Box::pin(service.call(request));
        assert!((&mut answer).await.is_ok());
        let again = AssertUnwindSafe(|| {
            answer
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        });
        let panic = catch_unwind(again).unwrap_err();
        assert_eq!(message(&*panic), "`ResponseFuture` polled after completion");
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    match panic.downcast_ref::<String>() {
        Some(message) => message.clone(),
        None => (*panic.downcast_ref::<&str>().unwrap()).to_owned(),
    }
}

#[tokio::test]
async fn polling_after_a_panic_panics() {
    type Panics =
        fn(
            Request<Full<Bytes>>,
        ) -> std::future::PollFn<fn(&mut Context<'_>) -> Poll<Result<Reply, Infallible>>>;
    let on_call: Panics = |_| panic!("on call");
    let on_poll: Panics = |_| std::future::poll_fn(|_| panic!("on poll"));
    for (panics, what) in [(on_call, "on call"), (on_poll, "on poll")] {
        let mut answer = Box::pin(layer().layer(service_fn(panics)).call(genuine()));
        for expected in [what, "`ResponseFuture` polled after completion"] {
            let polled = AssertUnwindSafe(|| {
                answer
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_ready()
            });
            assert_eq!(message(&*catch_unwind(polled).unwrap_err()), expected);
        }
    }
}

#[tokio::test]
async fn a_forged_delivery_does_not_reach_the_inner_service() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<Full<Bytes>>, Reply, _>(layer());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    assert_eq!(service.call(forged()).await.unwrap().status(), 401);
    drop(service);
    assert!(handle.next_request().await.is_none());
}

// `ConcurrencyLimit` panics if it is called without having been polled ready.
#[tokio::test]
async fn the_service_that_is_called_was_polled_ready() {
    let calls = Calls::default();
    let mut service = ServiceBuilder::new()
        .layer(layer())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(handler(&calls));
    for _ in 0..3 {
        let answer = service.ready().await.unwrap().call(genuine()).await;
        assert_eq!(answer.unwrap().status(), 200);
    }
    assert_eq!(calls.count(), 3);
}

#[tokio::test]
async fn a_rejection_holds_no_permit() {
    // Rejected before the body is read, and after.
    for rejected in [unsigned(), forged()] {
        let calls = Calls::default();
        let mut first = ServiceBuilder::new()
            .layer(layer())
            .layer(ConcurrencyLimitLayer::new(1))
            .service(handler(&calls));
        let second = first.clone();
        let answer = first.ready().await.unwrap().call(rejected).await;
        assert_eq!(answer.unwrap().status(), 401);

        // `first` still exists: if it held the permit, `second` would wait for ever.
        let answer = second.oneshot(genuine());
        let answer = timeout(Duration::from_secs(10), answer).await;
        assert_eq!(answer.expect("the permit is free").unwrap().status(), 200);
        drop(first);
    }
}

#[tokio::test]
async fn debug_shows_the_state_of_a_future() {
    let never = service_fn(|_: Request<Full<Bytes>>| pending::<Result<Reply, Infallible>>());
    let mut service = ServiceBuilder::new().layer(layer()).service(never);
    let rejected = service.ready().await.unwrap().call(unsigned());
    assert_eq!(
        format!("{rejected:?}"),
        r#"ResponseFuture { state: "Rejected", .. }"#
    );

    let mut answer = Box::pin(service.ready().await.unwrap().call(genuine()));
    assert_eq!(
        format!("{answer:?}"),
        r#"ResponseFuture { state: "Read", .. }"#
    );
    let polled = timeout(Duration::ZERO, &mut answer).await;
    assert!(polled.is_err());
    assert_eq!(
        format!("{answer:?}"),
        r#"ResponseFuture { state: "Call", .. }"#
    );
}

#[tokio::test]
async fn a_concurrency_limit_outside_works() {
    let calls = Calls::default();
    let service = ServiceBuilder::new()
        .layer(ConcurrencyLimitLayer::new(2))
        .layer(layer())
        .service(handler(&calls));
    let answers = (0..10).map(|_| tokio::spawn(service.clone().oneshot(genuine())));
    for answer in answers.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(calls.count(), 10);
}

#[tokio::test]
async fn load_shed_works_outside_and_inside() {
    let release = std::sync::Arc::new(Notify::new());
    let released = release.clone();
    let busy = service_fn(move |_: Request<Full<Bytes>>| {
        let released = released.clone();
        async move {
            released.notified().await;
            Ok::<Reply, Infallible>(Response::default())
        }
    });
    let limit = ConcurrencyLimitLayer::new(1);
    let around = ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .layer(limit.clone())
        .layer(layer())
        .service(busy.clone());
    let inside = ServiceBuilder::new()
        .layer(layer())
        .layer(LoadShedLayer::new())
        .layer(limit)
        .service(busy);

    let around = tower::util::BoxCloneService::new(around);
    let inside = tower::util::BoxCloneService::new(inside);
    for service in [around, inside] {
        let mut first = Box::pin(service.clone().oneshot(genuine()));
        // Polled once, it waits in the handler.
        assert!(timeout(Duration::ZERO, &mut first).await.is_err());
        let shed = service.oneshot(genuine()).await.unwrap_err();
        assert!(shed.is::<Overloaded>(), "{shed}");
        release.notify_one();
        assert_eq!(first.await.unwrap().status(), 200);
    }
}

#[test]
fn types_are_send_sync_and_static_if_the_inner_service_is() {
    fn send_sync<T: Send + Sync + 'static>() {}
    fn send<T: Send + 'static>() {}
    fn clone<T: Clone>() {}
    type Inner = mock::Mock<Request<Full<Bytes>>, Reply>;

    send_sync::<CronofyWebhookLayer>();
    clone::<CronofyWebhookLayer>();
    send_sync::<CronofyWebhook<Inner>>();
    clone::<CronofyWebhook<Inner>>();
    send_sync::<Delivery>();
    clone::<Delivery>();
    send_sync::<Notification>();
    send_sync::<Rejection>();
    clone::<Rejection>();
    send_sync::<Secret>();
    send_sync::<Verifier>();
    send_sync::<Overrun>();
    send::<ResponseFuture<Inner, Full<Bytes>>>();
}

#[tokio::test]
async fn body_types_are_preserved() {
    // Compiles only if the inner service takes the body type of the request.
    fn takes<B, S: Service<Request<B>, Response = Reply, Error = Infallible>>(service: S) -> S {
        service
    }
    let calls = Calls::default();
    let full = ServiceBuilder::new()
        .layer(layer())
        .service(handler(&calls));
    let script = ServiceBuilder::new()
        .layer(layer())
        .service(handler(&calls));
    let full = takes::<Full<Bytes>, _>(full);
    let script = takes::<Script, _>(script);
    assert_eq!(full.oneshot(genuine()).await.unwrap().status(), 200);
    let request = signed(CHANGE, Script::from(Bytes::from_static(CHANGE)));
    assert_eq!(script.oneshot(request).await.unwrap().status(), 200);
}
