//! Upper bounds on the allocations of the request path and the size of the future.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use bytes::Bytes;
use cronofy_webhook::middleware::ResponseFuture;
use cronofy_webhook::{Delivery, Notification};
use http::Request;
use http_body_util::Full;
use tower::{Layer as _, Service as _};

use crate::support::{CHANGE, Calls, forged, genuine, handler, headers, layer, unsigned, verifier};

fn allocations<T>(what: impl Fn() -> T) -> u64 {
    // The first run may initialise thread-locals.
    drop(what());
    measure(|| drop(what())).count_total
}

#[test]
fn verify_allocates_once() {
    let (verifier, headers) = (verifier(), headers());
    assert!(verifier.verify(&headers, CHANGE).is_ok());
    assert!(allocations(|| verifier.verify(&headers, CHANGE)) <= 1);
    assert!(verifier.verify(&headers, b"{}").is_err());
    assert!(allocations(|| verifier.verify(&headers, b"{}")) <= 1);
}

#[test]
fn a_change_is_parsed_with_one_allocation_for_each_string() {
    assert!(allocations(|| Notification::from_slice(CHANGE)) <= 2);
}

#[test]
fn a_delivery_is_two_allocations_beside_the_notification() {
    let (verifier, headers) = (verifier(), headers());
    let body = Bytes::from_static(CHANGE);
    let verify = || Delivery::verify(&verifier, &headers, body.clone()).unwrap();
    // Itself, and the copy of a small body.
    assert!(allocations(verify) <= 1 + 2 + 2);
}

/// The allocations of a request that is answered when its future is first polled.
fn of_a_request(request: impl Fn() -> Request<Full<Bytes>>, status: u16) -> u64 {
    let mut service = layer().layer(handler(&Calls::default()));
    let mut call = |request| {
        measure(|| {
            let answer = pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(Ok(answer)) = answer else {
                panic!("not answered at once");
            };
            assert_eq!(answer.status(), status);
        })
    };
    call(request());
    call(request()).count_total
}

/// The labels of each metric that is looked up.
fn of_metrics(metrics: u64) -> u64 {
    if cfg!(feature = "metrics") {
        metrics
    } else {
        0
    }
}

#[test]
fn the_middleware_allocates_little_beside_the_delivery() {
    // The box of the handler, and the map of the extensions with the delivery in it.
    assert!(of_a_request(genuine, 200) <= 5 + 1 + 3 + of_metrics(2));
}

#[test]
fn a_rejection_allocates_its_headers_and_its_reason() {
    for (request, limit) in [(forged as fn() -> _, 1 + 3 + 2), (unsigned, 2 + 3)] {
        assert!(of_a_request(request, 401) <= limit + of_metrics(1));
    }
}

#[test]
fn the_future_and_a_notification_are_small_enough_to_move() {
    type OfARoute = ResponseFuture<axum::routing::Route, axum::body::Body>;
    let (future, notification) = (size_of::<OfARoute>(), size_of::<Notification>());
    assert!(future <= 512, "{future}");
    assert!(notification <= 128, "{notification}");
}
