//! Guarantee: the response leaves within the deadline.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::{Delivery, Verifier};
use http::{HeaderMap, Request, Response};
use tokio::time::{Instant, sleep};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::support::{CHANGE, Calls, Reply, Script, Step, genuine, handler, layer, signed, slow};

const BUDGET: Duration = Duration::from_secs(4);

async fn timed(answer: impl Future<Output = Result<Reply, Infallible>>) -> (u16, Duration) {
    let started = Instant::now();
    let status = answer.await.unwrap().status().as_u16();
    (status, started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn the_response_comes_at_the_deadline() {
    let never = layer().layer(slow(Duration::MAX));
    assert_eq!(timed(never.oneshot(genuine())).await, (503, BUDGET));

    let short = layer()
        .budget(Duration::from_millis(1500))
        .layer(slow(Duration::MAX));
    assert_eq!(
        timed(short.oneshot(genuine())).await,
        (503, Duration::from_millis(1500))
    );
}

#[tokio::test(start_paused = true)]
async fn a_handler_ready_at_the_deadline_is_in_time() {
    let service = layer().layer(slow(BUDGET));
    assert_eq!(timed(service.oneshot(genuine())).await, (200, BUDGET));

    let service = layer().layer(slow(BUDGET + Duration::from_millis(1)));
    assert_eq!(timed(service.oneshot(genuine())).await, (503, BUDGET));
}

#[tokio::test(start_paused = true)]
async fn a_body_complete_at_the_deadline_is_in_time() {
    let calls = Calls::default();
    let body = Script::new([Step::Pause(BUDGET), Step::Data(CHANGE.into())]);
    let service = layer().layer(handler(&calls));
    assert_eq!(
        timed(service.oneshot(signed(CHANGE, body))).await,
        (200, BUDGET)
    );
    assert_eq!(calls.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_budget_covers_reading_and_handling() {
    let body = || {
        Script::new([
            Step::Data(CHANGE[..10].into()),
            Step::Pause(Duration::from_secs(3)),
            Step::Data(CHANGE[10..].into()),
        ])
    };
    let quick = layer().layer(slow(Duration::from_secs(1)));
    assert_eq!(
        timed(quick.oneshot(signed(CHANGE, body()))).await,
        (200, BUDGET)
    );

    let late = layer().layer(slow(Duration::from_secs(2)));
    assert_eq!(
        timed(late.oneshot(signed(CHANGE, body()))).await,
        (503, BUDGET)
    );
}

#[tokio::test(start_paused = true)]
async fn a_trickling_body_does_not_extend_the_deadline() {
    let calls = Calls::default();
    let drops = CHANGE
        .chunks(1)
        .flat_map(|byte| [Step::Data(byte.into()), Step::Pause(Duration::from_secs(1))]);
    let service = layer().layer(handler(&calls));
    let request = signed(CHANGE, Script::new(drops));
    assert_eq!(timed(service.oneshot(request)).await, (408, BUDGET));
    assert_eq!(calls.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_clock_starts_with_the_call_and_not_with_the_first_poll() {
    let mut service = layer().layer(slow(Duration::MAX));
    let answer = tower::Service::call(&mut service, genuine());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(timed(answer).await, (503, Duration::from_secs(3)));
}

#[tokio::test(start_paused = true)]
async fn remaining_is_the_time_until_the_deadline() {
    let service = layer().layer(service_fn(async |request: Request<Script>| {
        let delivery: &Delivery = request.extensions().get().unwrap();
        assert_eq!(delivery.remaining(), Some(Duration::from_secs(3)));
        sleep(Duration::from_millis(2500)).await;
        assert_eq!(delivery.remaining(), Some(Duration::from_millis(500)));
        Ok::<Reply, Infallible>(Response::default())
    }));
    let body = Script::new([
        Step::Pause(Duration::from_secs(1)),
        Step::Data(CHANGE.into()),
    ]);
    let response = service.oneshot(signed(CHANGE, body)).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[test]
fn without_the_middleware_there_is_no_deadline() {
    let verifier = Verifier::new(["CRN_x"]).unwrap();
    let headers: HeaderMap = [(cronofy_webhook::signature::HEADER, verifier.sign(b"{}"))]
        .into_iter()
        .collect();
    let delivery = Delivery::verify(&verifier, &headers, Bytes::from_static(b"{}")).unwrap();
    assert_eq!(delivery.remaining(), None);
}

#[tokio::test(start_paused = true)]
async fn the_longest_budget_does_not_overflow() {
    let service = layer()
        .budget(Duration::MAX)
        .layer(slow(Duration::from_secs(60)));
    let minute = Duration::from_secs(60);
    assert_eq!(timed(service.oneshot(genuine())).await, (200, minute));
}

#[test]
#[should_panic(expected = "set a duration below the 5 s that Cronofy waits")]
fn a_budget_of_zero_panics_at_construction() {
    let _ = layer().budget(Duration::ZERO);
}

/// Polls the answer while advancing the clock: a paused clock advances by itself only when the runtime is idle.
async fn at_the_deadline(answer: impl Future<Output = Result<Reply, Infallible>>) -> Option<u16> {
    let mut answer = std::pin::pin!(answer);
    for _ in 0..50 {
        tokio::select! {
            biased;
            response = &mut answer => return Some(response.unwrap().status().as_u16()),
            () = tokio::task::yield_now() => tokio::time::advance(Duration::from_millis(100)).await,
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn a_busy_handler_does_not_starve_the_deadline() {
    let service = layer().layer(service_fn(async |_: Request<_>| {
        loop {
            // Uses up tokio's cooperative budget each time it is polled.
            tokio::task::coop::consume_budget().await;
        }
        #[expect(unreachable_code, reason = "gives the handler its type")]
        Ok::<Reply, Infallible>(Response::default())
    }));
    assert_eq!(at_the_deadline(service.oneshot(genuine())).await, Some(503));
}

#[tokio::test(start_paused = true)]
async fn endless_empty_frames_do_not_starve_the_deadline() {
    let calls = Calls::default();
    let service = layer().layer(handler(&calls));
    let request = signed(CHANGE, Script::new([Step::EmptyForever]));
    assert_eq!(at_the_deadline(service.oneshot(request)).await, Some(408));
}
