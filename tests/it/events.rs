//! The events, as an operator reads them. None shows a secret, a signature or a body.

use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::{CronofyWebhookLayer, Overrun, Secret, Verifier};
use http::{Request, StatusCode};
use http_body_util::Full;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::log::Log;
use crate::support::{CHANGE, OTHER_SECRET, Reply, SECRET, genuine, layer, signed};

/// A service that takes its time and then answers, fails or panics.
async fn deliver(
    layer: &CronofyWebhookLayer,
    request: Request<Full<Bytes>>,
    time: Duration,
    answer: Result<u16, &'static str>,
) -> Result<Reply, std::io::Error> {
    let service = layer.layer(service_fn(move |_: Request<Full<Bytes>>| async move {
        sleep(time).await;
        match answer {
            Ok(status) => {
                let mut response = Reply::default();
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                Ok(response)
            }
            Err("panic") => panic!("of the handler"),
            Err(error) => Err(std::io::Error::other(error)),
        }
    }));
    service.oneshot(request).await
}

const SECOND: Duration = Duration::from_secs(1);
const SIX_SECONDS: Duration = Duration::from_secs(6);

async fn drained(tracker: &TaskTracker) {
    tracker.close();
    tracker.wait().await;
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_an_event_at_debug_level() {
    let (log, _guard) = Log::start();
    deliver(&layer(), genuine(), SECOND, Ok(204)).await.unwrap();
    let labelled = Verifier::new([Secret::new(SECRET).with_label("2024")]).unwrap();
    let layer = CronofyWebhookLayer::with_verifier(labelled);
    deliver(&layer, genuine(), SECOND, Err("no disk"))
        .await
        .unwrap_err();
    assert_eq!(
        log.lines(),
        [
            r#"DEBUG cronofy_webhook: delivery handled kind="change" channel="chn_54cf7c7cb4ad4c1027000001" secret=0 status=204 elapsed=1s"#,
            r#"DEBUG cronofy_webhook: delivery not handled: the service failed kind="change" channel="chn_54cf7c7cb4ad4c1027000001" secret=2024 elapsed=1s"#,
        ]
    );
}

#[tokio::test]
async fn a_refusal_is_a_warning_with_its_reason() {
    let (log, _guard) = Log::start();
    let mut unsigned = genuine();
    unsigned.headers_mut().clear();
    for request in [unsigned, signed(b"another body", CHANGE.into())] {
        deliver(&layer(), request, SECOND, Ok(204)).await.unwrap();
    }
    let mut malformed = genuine();
    malformed
        .headers_mut()
        .insert("cronofy-hmac-sha256", "sha256=0123".parse().unwrap());
    deliver(&layer(), malformed, SECOND, Ok(204)).await.unwrap();
    let large = layer().body_limit(10);
    deliver(&large, genuine(), SECOND, Ok(204)).await.unwrap();
    assert_eq!(
        log.lines(),
        [
            r#"WARN cronofy_webhook: delivery refused reason="signature_missing" status=401 error=the delivery is not authentic: the Cronofy-HMAC-SHA256 header is absent or empty"#,
            r#"WARN cronofy_webhook: delivery refused reason="signature_mismatch" status=401 error=the delivery is not authentic: no signature in Cronofy-HMAC-SHA256 is that of this body under a secret held here (listed: 1, of which malformed: 0; secrets tried: 1)"#,
            r#"WARN cronofy_webhook: delivery refused reason="signature_malformed" status=401 error=the delivery is not authentic: none of the values in Cronofy-HMAC-SHA256 is the padded Base64 of 32 bytes (listed: 1)"#,
            r#"WARN cronofy_webhook: delivery refused reason="body_too_large" status=413 error=the request body is over the limit of 10 bytes"#,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_handler_is_a_warning_and_what_became_of_it_another_event() {
    const LATE: &str = r#"WARN cronofy_webhook: handler was not done inside the budget: it goes on in the background kind="change" channel="chn_54cf7c7cb4ad4c1027000001" elapsed=4s overrun="finish" status=503"#;
    const OF: &str = r#"kind="change" channel="chn_54cf7c7cb4ad4c1027000001""#;
    for (time, answer, became) in [
        (
            SIX_SECONDS,
            Ok(204),
            format!(
                "INFO cronofy_webhook: late handler finished in the background {OF} elapsed=6s status=204"
            ),
        ),
        (
            SIX_SECONDS,
            Ok(500),
            format!(
                "WARN cronofy_webhook: late handler finished in the background, without success {OF} elapsed=6s status=500"
            ),
        ),
        (
            SIX_SECONDS,
            Err("no disk"),
            format!(
                "ERROR cronofy_webhook: late handler failed in the background {OF} elapsed=6s error=no disk"
            ),
        ),
        (
            SIX_SECONDS,
            Err("panic"),
            format!(
                "ERROR cronofy_webhook: late handler panicked in the background {OF} elapsed=6s"
            ),
        ),
        (
            Duration::MAX,
            Ok(204),
            format!(
                "ERROR cronofy_webhook: late handler was dropped: still not done when the grace ended {OF} elapsed=34s grace=30s"
            ),
        ),
    ] {
        let (log, _guard) = Log::start();
        let tracker = TaskTracker::new();
        let layer = layer().task_tracker(tracker.clone());
        deliver(&layer, genuine(), time, answer).await.unwrap();
        drained(&tracker).await;
        assert_eq!(log.lines(), [LATE, &became]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_handler_under_the_other_policies() {
    let (log, _guard) = Log::start();
    let tracker = TaskTracker::new();
    for overrun in [Overrun::Accept, Overrun::Cancel] {
        let layer = layer().overrun(overrun).task_tracker(tracker.clone());
        deliver(&layer, genuine(), SIX_SECONDS, Ok(204))
            .await
            .unwrap();
    }
    assert_eq!(
        log.lines(),
        [
            r#"WARN cronofy_webhook: handler was not done inside the budget: it goes on in the background kind="change" channel="chn_54cf7c7cb4ad4c1027000001" elapsed=4s overrun="accept" status=202"#,
            r#"INFO cronofy_webhook: late handler finished in the background kind="change" channel="chn_54cf7c7cb4ad4c1027000001" elapsed=6s status=204"#,
            r#"WARN cronofy_webhook: handler was not done inside the budget: it is dropped kind="change" channel="chn_54cf7c7cb4ad4c1027000001" elapsed=4s overrun="cancel" status=503"#,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_hang_up_is_a_warning_and_what_became_of_the_handler_another_event() {
    let (log, _guard) = Log::start();
    let tracker = TaskTracker::new();
    for overrun in [Overrun::Finish, Overrun::Cancel] {
        let layer = layer().overrun(overrun).task_tracker(tracker.clone());
        tokio::select! {
            _ = deliver(&layer, genuine(), SIX_SECONDS, Ok(204)) => panic!("answered"),
            () = sleep(SECOND) => {}
        }
    }
    drained(&tracker).await;
    assert_eq!(
        log.lines(),
        [
            r#"WARN cronofy_webhook: request was dropped before the handler was done (the sender hung up, or a layer outside gave up): it goes on in the background kind="change" channel="chn_54cf7c7cb4ad4c1027000001" elapsed=1s overrun="finish""#,
            r#"WARN cronofy_webhook: request was dropped before the handler was done (the sender hung up, or a layer outside gave up): it is dropped kind="change" channel="chn_54cf7c7cb4ad4c1027000001" elapsed=1s overrun="cancel""#,
            r#"INFO cronofy_webhook: late handler finished in the background kind="change" channel="chn_54cf7c7cb4ad4c1027000001" elapsed=6s status=204"#,
        ]
    );
}

#[test]
fn background_work_that_the_runtime_takes_along_is_an_error() {
    let (log, _guard) = Log::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        deliver(&layer(), genuine(), SIX_SECONDS, Ok(204))
            .await
            .unwrap();
    });
    drop(runtime);
    assert_eq!(
        log.lines().last().unwrap(),
        r#"ERROR cronofy_webhook: late handler was dropped: the runtime shut down kind="change" channel="chn_54cf7c7cb4ad4c1027000001" elapsed=4s"#
    );
}

#[tokio::test(start_paused = true)]
async fn background_work_stays_in_the_span_of_its_request() {
    use tracing::Instrument as _;

    let (log, _guard) = Log::start();
    let tracker = TaskTracker::new();
    let layer = layer().task_tracker(tracker.clone());
    let span = tracing::info_span!("request", id = 7);
    deliver(&layer, genuine(), SIX_SECONDS, Ok(204))
        .instrument(span)
        .await
        .unwrap();
    drained(&tracker).await;
    let lines = log.lines();
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert!(line.contains("request{id=7}: cronofy_webhook: "), "{line}");
    }
}

/// Enters a span when it is polled, and not when it is dropped: as `Trace` of tower-http does.
struct InSpan<F>(tracing::Span, std::pin::Pin<Box<F>>);

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<F::Output> {
        let span = self.0.clone();
        let _entered = span.enter();
        self.1.as_mut().poll(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_hang_up_too() {
    let (log, _guard) = Log::start();
    let tracker = TaskTracker::new();
    let layer = layer().task_tracker(tracker.clone());
    let answer = deliver(&layer, genuine(), SIX_SECONDS, Ok(204));
    let answer = InSpan(tracing::info_span!("request", id = 7), Box::pin(answer));
    assert!(tokio::time::timeout(SECOND, answer).await.is_err());
    drained(&tracker).await;
    let lines = log.lines();
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert!(line.contains("request{id=7}: cronofy_webhook: "), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_signature_by_a_secret_that_is_not_held_is_a_warning() {
    let (log, _guard) = Log::start();
    let mut request = genuine();
    let both = Verifier::new([SECRET, OTHER_SECRET]).unwrap().sign(CHANGE);
    request.headers_mut().insert("cronofy-hmac-sha256", both);
    deliver(&layer(), request, SECOND, Ok(204)).await.unwrap();
    assert_eq!(
        log.lines()[0],
        r#"WARN cronofy_webhook: Cronofy signs with a client secret that this server does not hold: add it before the one that matched is revoked kind="change" channel="chn_54cf7c7cb4ad4c1027000001" secret=0 unknown_signatures=1"#
    );
}

#[tokio::test(start_paused = true)]
async fn a_notification_that_is_not_understood_is_an_event_that_quotes_nothing() {
    let (log, _guard) = Log::start();
    let bodies: [&'static [u8]; 4] = [
        br#"{"notification":{"type":"change","changes_since":"yesterday"},"channel":{}}"#,
        br#"{"notification":{"type":"verification"}}"#,
        br#"{"notification":{"type":"of_tomorrow"}}"#,
        b"yesterday",
    ];
    for body in bodies {
        deliver(&layer(), signed(body, body.into()), SECOND, Ok(204))
            .await
            .unwrap();
    }
    let lines = log.lines();
    assert_eq!(
        lines.iter().step_by(2).collect::<Vec<_>>(),
        [
            r#"WARN cronofy_webhook: notification is not as its kind promises, and is handed on as unknown kind="change" reason=`notification.changes_since` is malformed: not as expected at line 1 column 60"#,
            r#"WARN cronofy_webhook: notification is not as its kind promises, and is handed on as unknown kind="verification" reason=`channel` is missing"#,
            r#"DEBUG cronofy_webhook: notification is handed on as unknown kind="of_tomorrow" reason=the type is not one of those modelled"#,
            "DEBUG cronofy_webhook: notification is handed on as unknown reason=the body is not a JSON object: expected value at line 1 column 1",
        ]
    );
    assert!(lines.iter().all(|line| !line.contains("yesterday")));
}

#[test]
fn a_secret_with_stray_ends_is_a_warning_at_construction() {
    let (log, _guard) = Log::start();
    let with_newline = format!("{SECRET}\n");
    let _ = layer();
    let _ = Verifier::new([
        Secret::new("fine"),
        Secret::new(with_newline).with_label("2024"),
    ]);
    let _ = Verifier::new(["\u{feff}CRN_x"]);
    let warning = "WARN cronofy_webhook: client secret begins or ends with white space or a byte-order mark, \
                   and is used as it is: if signatures do not match, trim it";
    assert_eq!(
        log.lines(),
        [
            format!("{warning} index=1 label=\"2024\""),
            format!("{warning} index=0")
        ]
    );
}

#[test]
fn a_budget_that_cronofy_does_not_wait_for_is_a_warning_at_construction() {
    let (log, _guard) = Log::start();
    let _ = layer().budget(Duration::from_millis(4999));
    let _ = layer().budget(Duration::from_secs(5));
    assert_eq!(
        log.lines(),
        [
            "WARN cronofy_webhook: budget is not below the 5 s that Cronofy waits for the answer to a push notification: late answers will be taken for failures budget=5s"
        ]
    );
}
