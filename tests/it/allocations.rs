//! How often memory is allocated on the way of a `change`, and how large the future is: kept from growing unnoticed.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use bytes::Bytes;
use cronofy_webhook::middleware::ResponseFuture;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Delivery, Notification};
use http::{HeaderMap, Request};
use http_body_util::Full;
use tower::{Layer as _, Service as _};

use crate::support::{CHANGE, Calls, genuine, handler, layer, signed, verifier};

fn allocations<T>(what: impl Fn() -> T) -> u64 {
    // What is made once and kept, for a thread say, is not of the path.
    drop(what());
    measure(|| drop(what())).count_total
}

fn headers() -> HeaderMap {
    HeaderMap::from_iter([(HEADER, verifier().sign(CHANGE))])
}

#[test]
fn a_check_allocates_nothing() {
    let (verifier, headers) = (verifier(), headers());
    assert!(verifier.verify(&headers, CHANGE).is_ok());
    assert_eq!(allocations(|| verifier.verify(&headers, CHANGE)), 0);
    assert!(verifier.verify(&headers, b"{}").is_err());
    assert_eq!(allocations(|| verifier.verify(&headers, b"{}")), 0);
}

#[test]
fn a_change_is_read_with_an_allocation_for_each_string() {
    assert_eq!(allocations(|| Notification::from_slice(CHANGE)), 2);
}

#[test]
fn a_delivery_is_one_allocation_beside_the_notification() {
    let (verifier, headers) = (verifier(), headers());
    let body = Bytes::from_static(CHANGE);
    let verify = || Delivery::verify(&verifier, &headers, body.clone()).unwrap();
    assert_eq!(allocations(|| verify().notification().kind().len()), 3);
}

/// Those on the way of a request that is answered when its future is first polled.
fn on_the_way(request: impl Fn() -> Request<Full<Bytes>>, status: u16) -> u64 {
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

#[test]
fn the_middleware_allocates_the_delivery_its_place_in_the_extensions_and_the_box_of_the_handler() {
    assert_eq!(on_the_way(genuine, 200), 1 + 3 + 1);
}

#[test]
fn a_refusal_allocates_its_headers_and_its_reason() {
    let forged = || signed(b"another body", CHANGE.into());
    assert_eq!(on_the_way(forged, 401), 2 + 3);
    let unsigned = || Request::new(Full::from(CHANGE));
    assert_eq!(on_the_way(unsigned, 401), 2 + 3);
}

/// What axum's own future for a route takes: this one is moved about no more than it.
const ROUTE_FUTURE: usize = size_of::<axum::routing::future::RouteFuture<Infallible>>();

#[test]
fn the_future_is_about_as_large_as_that_of_a_route() {
    type OfARoute = ResponseFuture<axum::routing::Route, axum::body::Body>;
    println!("{} and {ROUTE_FUTURE} bytes", size_of::<OfARoute>());
    assert!(size_of::<OfARoute>() <= ROUTE_FUTURE * 5 / 4);
    assert!(size_of::<Notification>() <= 128);
}
