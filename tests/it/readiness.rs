//! Tower's contract: what was polled ready is what is called, around the layer and inside of it.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::middleware::ResponseFuture;
use cronofy_webhook::{
    CronofyWebhook, CronofyWebhookLayer, Delivery, Notification, Overrun, Rejection, Secret,
    Verifier,
};
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::Notify;
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::load_shed::error::Overloaded;
use tower::{Service, ServiceBuilder, ServiceExt as _, service_fn};
use tower_test::mock;

use crate::support::{CHANGE, Calls, Reply, Script, genuine, handler, layer, signed};

fn forged() -> Request<Full<Bytes>> {
    signed(b"another body", CHANGE.into())
}

#[tokio::test]
async fn it_is_ready_when_the_inner_service_is() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<Full<Bytes>>, Reply, _>(layer());
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());

    let answer = tokio::spawn(service.call(genuine()));
    // A refusal would be the end of the mock, and not something to wait for.
    drop(service);
    let (received, respond) = handle.next_request().await.unwrap();
    assert_eq!(received.uri(), "/cronofy/42?source=cronofy");
    assert!(received.extensions().get::<Delivery>().is_some());
    respond.send_response(Response::new(Full::from("done")));
    assert_eq!(answer.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn an_inner_service_that_fails_to_get_ready_says_so_through_poll_ready() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<Full<Bytes>>, Reply, _>(layer());
    handle.send_error("worn out");
    let std::task::Poll::Ready(Err(error)) = service.poll_ready() else {
        panic!("ready without an error");
    };
    assert_eq!(error.to_string(), "worn out");
}

#[tokio::test]
async fn a_forged_delivery_never_reaches_a_mock() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<Full<Bytes>>, Reply, _>(layer());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    assert_eq!(service.call(forged()).await.unwrap().status(), 401);
    drop(service);
    assert!(handle.next_request().await.is_none());
}

// `ConcurrencyLimit` panics when it is called without having been polled ready, as a clone would be.
#[tokio::test]
async fn the_service_that_was_polled_ready_is_the_one_that_is_called() {
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
async fn a_refusal_gives_back_what_readiness_held() {
    let mut unsigned = genuine();
    unsigned.headers_mut().clear();
    // Refused before the body is read, and after.
    for refused in [unsigned, forged()] {
        let calls = Calls::default();
        let mut first = ServiceBuilder::new()
            .layer(layer())
            .layer(ConcurrencyLimitLayer::new(1))
            .service(handler(&calls));
        let second = first.clone();
        let answer = first.ready().await.unwrap().call(refused).await;
        assert_eq!(answer.unwrap().status(), 401);

        // `first` is still there. If it held on to the permit, `second` would wait for ever.
        let answer = second.oneshot(genuine());
        let answer = tokio::time::timeout(Duration::from_secs(10), answer).await;
        assert_eq!(answer.expect("the permit is free").unwrap().status(), 200);
        drop(first);
    }
}

#[tokio::test]
async fn a_future_that_is_printed_tells_where_it_has_got_to() {
    let never =
        service_fn(|_: Request<Full<Bytes>>| std::future::pending::<Result<Reply, Infallible>>());
    let mut service = ServiceBuilder::new().layer(layer()).service(never);
    let mut unsigned = genuine();
    unsigned.headers_mut().clear();
    let refused = service.ready().await.unwrap().call(unsigned);
    assert_eq!(
        format!("{refused:?}"),
        r#"ResponseFuture { state: "Refused", .. }"#
    );

    let mut answer = Box::pin(service.ready().await.unwrap().call(genuine()));
    assert_eq!(
        format!("{answer:?}"),
        r#"ResponseFuture { state: "Read", .. }"#
    );
    let polled = tokio::time::timeout(Duration::ZERO, &mut answer).await;
    assert!(polled.is_err());
    assert_eq!(
        format!("{answer:?}"),
        r#"ResponseFuture { state: "Call", .. }"#
    );
}

#[tokio::test]
async fn a_concurrency_limit_around_it_works() {
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
async fn load_shed_works_around_it_and_inside_of_it() {
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
        // Polled once: it has reached the handler, and waits there.
        assert!(
            tokio::time::timeout(Duration::ZERO, &mut first)
                .await
                .is_err()
        );
        let shed = service.oneshot(genuine()).await.unwrap_err();
        assert!(shed.is::<Overloaded>(), "{shed}");
        release.notify_one();
        assert_eq!(first.await.unwrap().status(), 200);
    }
}

#[test]
fn everything_is_send_sync_and_static_where_the_inner_service_is() {
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
    // Compiles: the body type that goes in is the one that the inner service takes, whatever it is.
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
