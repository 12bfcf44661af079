//! `CronofyWebhookLayer::diagnose`.

use std::time::Duration;

use cronofy_webhook::CronofyWebhookLayer;
use cronofy_webhook_diagnosis::Diagnosis;
use http::StatusCode;
use tokio::time::{advance, sleep};
use tower::{Layer as _, ServiceExt as _};
use tracing::{Instrument as _, Level};

use crate::events::{Event, Log};
use crate::support::{Calls, SECRET, forged, genuine, handler, unsigned};

/// A layer whose secret was copied with its quotes.
fn quoted() -> CronofyWebhookLayer {
    let secret = format!("\"{SECRET}\"");
    CronofyWebhookLayer::new(&secret).on_mismatch(Diagnosis::new([&secret]).unwrap().log())
}

async fn deliver(
    layer: &CronofyWebhookLayer,
    request: http::Request<http_body_util::Full<bytes::Bytes>>,
) -> StatusCode {
    let service = layer.layer(handler(&Calls::default()));
    service.oneshot(request).await.unwrap().status()
}

/// Waits for explanations under way: a paused clock does not advance while blocking work runs.
async fn explanations(log: &Log) -> Vec<Event> {
    sleep(Duration::from_millis(1)).await;
    let events = log.events().into_iter();
    events
        .filter(|event| event.message.starts_with("signature did not match"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_mismatch_is_explained_after_the_response() {
    let layer = quoted();
    let (log, _guard) = Log::start();
    let span = tracing::info_span!("request");
    assert_eq!(deliver(&layer, genuine()).instrument(span).await, 401);
    let explained = explanations(&log).await;
    assert_eq!(explained.len(), 1, "{explained:?}");
    explained[0].is(
        Level::WARN,
        &[
            ("mistake", "secret_quoted"),
            ("certainty", "proven"),
            ("secret", "0"),
            ("suppressed", "0"),
        ],
    );
    assert_eq!(explained[0].spans, ["cronofy_webhook.diagnosis"]);
    assert_eq!(log.closed(), ["request", "cronofy_webhook.diagnosis"]);
}

#[tokio::test(start_paused = true)]
async fn what_nothing_explains_is_said_to_be() {
    let layer =
        CronofyWebhookLayer::new(SECRET).on_mismatch(Diagnosis::new([SECRET]).unwrap().log());
    let (log, _guard) = Log::start();
    assert_eq!(deliver(&layer, forged()).await, 401);
    let explained = explanations(&log).await;
    assert_eq!(
        explained[0].message,
        "signature did not match, and no known mistake explains it: the request may be forged"
    );
}

#[tokio::test(start_paused = true)]
async fn genuine_and_unsigned_requests_are_not_explained() {
    let layer =
        CronofyWebhookLayer::new(SECRET).on_mismatch(Diagnosis::new([SECRET]).unwrap().log());
    let (log, _guard) = Log::start();
    assert_eq!(deliver(&layer, genuine()).await, 200);
    assert_eq!(deliver(&layer, unsigned()).await, 401);
    assert!(explanations(&log).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_forgeries_is_explained_once_a_second() {
    let layer =
        CronofyWebhookLayer::new(SECRET).on_mismatch(Diagnosis::new([SECRET]).unwrap().log());
    let (log, _guard) = Log::start();
    for _ in 0..3 {
        for _ in 0..1000 {
            assert_eq!(deliver(&layer, forged()).await, 401);
        }
        explanations(&log).await;
        advance(Duration::from_secs(1)).await;
    }
    let suppressed: Vec<_> = explanations(&log)
        .await
        .iter()
        .map(|event| event.field("suppressed").unwrap().to_owned())
        .collect();
    assert_eq!(suppressed, ["0", "999", "999"]);
}

#[tokio::test]
async fn the_response_is_the_same_with_and_without() {
    let with =
        CronofyWebhookLayer::new(SECRET).on_mismatch(Diagnosis::new([SECRET]).unwrap().log());
    let without = CronofyWebhookLayer::new(SECRET);
    let answer = async |layer: &CronofyWebhookLayer| {
        let service = layer.layer(handler(&Calls::default()));
        let response = service.oneshot(forged()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, crate::support::text(response).await)
    };
    assert_eq!(answer(&with).await, answer(&without).await);
}

#[test]
fn it_is_logged_at_construction() {
    let (log, _guard) = Log::start();
    let _ = CronofyWebhookLayer::new(SECRET).on_mismatch(Diagnosis::new([SECRET]).unwrap().log());
    let event = log.event();
    assert_eq!(event.level, Level::WARN);
    assert_eq!(
        event.message,
        "signatures that do not match are explained in the log, at most one a second"
    );
}
