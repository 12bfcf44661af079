//! `Diagnosis::log`, on a layer.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::{CronofyWebhookLayer, Verifier};
use cronofy_webhook_diagnosis::Diagnosis;
use cronofy_webhook_testing::Sender;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{advance, sleep};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tracing::{Instrument as _, Level};

use crate::support::{CHANGE, Event, Log, OTHER_SECRET, SECRET};

type Body = Full<Bytes>;

/// A layer that explains its mismatches.
fn explained(secret: &str) -> CronofyWebhookLayer {
    CronofyWebhookLayer::new(secret).on_mismatch(Diagnosis::new([secret]).unwrap().log())
}

fn genuine() -> Request<Body> {
    Sender::new(SECRET).request(CHANGE)
}

fn forged() -> Request<Body> {
    Sender::new(OTHER_SECRET).request(CHANGE)
}

async fn response(layer: &CronofyWebhookLayer, request: Request<Body>) -> Response<Body> {
    let handler = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::default()));
    layer.layer(handler).oneshot(request).await.unwrap()
}

async fn deliver(layer: &CronofyWebhookLayer, request: Request<Body>) -> StatusCode {
    response(layer, request).await.status()
}

/// Waits for explanations under way: a paused clock does not advance while blocking work runs.
async fn explanations(log: &Log) -> Vec<Event> {
    sleep(Duration::from_millis(1)).await;
    let events = log.events().into_iter();
    events
        .filter(|event| event.target == "cronofy_webhook_diagnosis")
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_mismatch_is_explained_in_a_span_that_follows_from_the_request() {
    // Copied with its quotes.
    let layer = explained(&format!("\"{SECRET}\""));
    let (log, _guard) = Log::start();
    let span = tracing::info_span!("request");
    assert_eq!(deliver(&layer, genuine()).instrument(span).await, 401);
    let events = explanations(&log).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].level, Level::WARN);
    assert_eq!(events[0].message, "signature did not match");
    for (name, value) in [
        ("mistake", "secret_quoted"),
        ("certainty", "proven"),
        ("secret", "0"),
        ("suppressed", "0"),
    ] {
        assert_eq!(events[0].fields[name], value, "{name}");
    }
    assert!(events[0].fields["remedy"].contains("store it without them"));
    assert_eq!(events[0].spans, ["cronofy_webhook.diagnosis"]);
    assert!(
        log.follows()
            .contains(&("cronofy_webhook.diagnosis", "request"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_unexplained_mismatch_is_logged_as_such() {
    let layer = explained(SECRET);
    let (log, _guard) = Log::start();
    assert_eq!(deliver(&layer, forged()).await, 401);
    let events = explanations(&log).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].level, Level::WARN);
    assert_eq!(events[0].message, "signature mismatch is unexplained");
}

#[tokio::test(start_paused = true)]
async fn a_genuine_delivery_is_not_explained() {
    let layer = explained(SECRET);
    let (log, _guard) = Log::start();
    assert_eq!(deliver(&layer, genuine()).await, 200);
    assert!(explanations(&log).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_forgeries_is_explained_once_a_second() {
    let layer = explained(SECRET);
    let (log, _guard) = Log::start();
    for _ in 0..3 {
        for _ in 0..1000 {
            assert_eq!(deliver(&layer, forged()).await, 401);
        }
        explanations(&log).await;
        advance(Duration::from_secs(1)).await;
    }
    let events = explanations(&log).await;
    let suppressed: Vec<_> = events
        .iter()
        .map(|event| &event.fields["suppressed"])
        .collect();
    assert_eq!(suppressed, ["0", "999", "999"]);
}

// Whatever it then says of a delivery, it would not be about the secrets in use.
#[tokio::test(start_paused = true)]
async fn after_replace_it_says_that_it_has_other_secrets() {
    let verifier = Verifier::new([OTHER_SECRET]).unwrap();
    let diagnosis = Diagnosis::new([OTHER_SECRET]).unwrap();
    let layer = CronofyWebhookLayer::from_verifier(verifier.clone()).on_mismatch(diagnosis.log());
    verifier.replace([format!("'{SECRET}'")]).unwrap();
    let (log, _guard) = Log::start();
    for (request, messages) in [
        // Made with the new secret, and with the old one.
        (genuine(), 1),
        (forged(), 2),
    ] {
        assert_eq!(deliver(&layer, request).await, 401);
        let events = explanations(&log).await;
        assert_eq!(events.len(), messages, "{events:?}");
        for event in events {
            assert_eq!(event.level, Level::WARN);
            assert_eq!(event.message, "diagnosis has other secrets");
        }
        advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_secrets_in_another_order_are_no_others() {
    for (secrets, message) in [
        (&["CRN_a", "CRN_b"][..], "signature mismatch is unexplained"),
        (
            &["CRN_a", "CRN_b", "CRN_a"],
            "signature mismatch is unexplained",
        ),
        (&["CRN_a"], "diagnosis has other secrets"),
        (&["CRN_a", "CRN_b", "CRN_c"], "diagnosis has other secrets"),
    ] {
        let verifier = Verifier::new(["CRN_b", "CRN_a"]).unwrap();
        let diagnosis = Diagnosis::new(secrets.iter().copied()).unwrap();
        let layer = CronofyWebhookLayer::from_verifier(verifier).on_mismatch(diagnosis.log());
        let (log, _guard) = Log::start();
        assert_eq!(deliver(&layer, forged()).await, 401);
        assert_eq!(explanations(&log).await[0].message, message, "{secrets:?}");
    }
}

#[tokio::test]
async fn the_response_is_the_same_with_and_without() {
    let received = async |layer: CronofyWebhookLayer| {
        let (head, body) = response(&layer, forged()).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, body)
    };
    let without = received(CronofyWebhookLayer::new(SECRET)).await;
    assert_eq!(received(explained(SECRET)).await, without);
}

#[test]
fn outside_of_a_runtime_nothing_is_explained() {
    let layer = explained(SECRET);
    let (log, _guard) = Log::start();
    let mut response = pin!(deliver(&layer, forged()));
    let polled = response
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(StatusCode::UNAUTHORIZED));
    let events = log.events();
    assert!(
        events
            .iter()
            .all(|event| event.message == "request rejected"),
        "{events:?}"
    );
}

#[test]
fn it_is_logged_at_construction() {
    let (log, _guard) = Log::start();
    // What is suspicious about the secret is the verifier's to log.
    let diagnosis = Diagnosis::new(["'CRN_held'"]).unwrap();
    assert!(log.events().is_empty());
    let _ = diagnosis.log();
    let events = log.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].level, Level::INFO);
    assert_eq!(events[0].message, "signature diagnosis is enabled");
}
