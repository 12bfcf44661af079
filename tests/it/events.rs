//! The events. None shows a secret, a signature or a body, which [`Log::events`] checks. Messages are in the guide *Events* alone.

mod guide;

use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Background, CronofyWebhookLayer, Overrun, RejectionKind, Secret, Verifier};
use http::{Request, StatusCode};
use http_body_util::Full;
use tokio::task::JoinSet;
use tokio::time::{advance, sleep, timeout};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};
use tracing::{Instrument as _, Level};

use crate::log::Log;
use crate::support::{
    CHANGE, Reply, SECRET, SIX_SECONDS, Script, Step, forged, genuine, layer, signed, slow,
    unsigned,
};

const SECOND: Duration = Duration::from_secs(1);
const CHANNEL: (&str, &str) = ("channel", "chn_54cf7c7cb4ad4c1027000001");

const INVALID_FIELD: &[u8] = br#"{"notification":{"type":"verification"},"channel":{"channel_id":"c","callback_url":"u","filters":5}}"#;
const MALFORMED: &[u8] =
    br#"{"notification":{"type":"change"},"channel":{"channel_id":"c","callback_url":"u"}}"#;

/// A service that takes a while and then responds, fails or panics.
fn after(
    time: Duration,
    outcome: Result<u16, &'static str>,
) -> impl Service<Request<Full<Bytes>>, Response = Reply, Error = std::io::Error, Future: Send + 'static>
+ Clone {
    service_fn(move |_: Request<Full<Bytes>>| async move {
        sleep(time).await;
        match outcome {
            Ok(status) => {
                let mut response = Reply::default();
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                Ok(response)
            }
            Err("panic") => resume_unwind(Box::new("of the handler")),
            Err(error) => Err(std::io::Error::other(error)),
        }
    })
}

async fn deliver(
    layer: &CronofyWebhookLayer,
    request: Request<Full<Bytes>>,
    time: Duration,
    outcome: Result<u16, &'static str>,
) -> Result<Reply, std::io::Error> {
    layer.layer(after(time, outcome)).oneshot(request).await
}

/// As a server does, so that a panic ends no more than the task.
async fn deliver_in_task(
    layer: &CronofyWebhookLayer,
    time: Duration,
    outcome: Result<u16, &'static str>,
) {
    let layer = layer.clone();
    let delivery = async move { deliver(&layer, genuine(), time, outcome).await };
    let _ = tokio::spawn(delivery).await;
}

fn with_headers<B>(mut request: Request<B>) -> Request<B> {
    let headers = request.headers_mut();
    headers.insert("content-length", "255".parse().unwrap());
    headers.insert("content-encoding", "gzip".parse().unwrap());
    request
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_outcome_has_the_same_level_in_the_foreground_and_in_the_background() {
    let labelled = Verifier::new([Secret::new(SECRET).with_label("2024")]).unwrap();
    let layer = CronofyWebhookLayer::from_verifier(labelled);
    for (outcome, level, field) in [
        (Ok(204), Level::DEBUG, ("status", "204")),
        (Ok(204), Level::DEBUG, ("secret", "0")),
        (Ok(204), Level::DEBUG, ("secret_label", "2024")),
        (Ok(404), Level::WARN, ("status", "404")),
        (Ok(307), Level::WARN, ("status", "307")),
        (Err("no disk"), Level::ERROR, ("kind", "change")),
        (Err("panic"), Level::ERROR, ("kind", "change")),
    ] {
        for (time, in_background) in [(SECOND, "false"), (SIX_SECONDS, "true")] {
            let (log, _guard) = Log::start();
            let background = Background::new();
            let layer = layer.clone().background(background.clone());
            deliver_in_task(&layer, time, outcome).await;
            background.wait().await;
            let event = log.events().pop().unwrap();
            let elapsed = time.as_millis().to_string();
            event.is(level, &[CHANNEL, field, ("elapsed_ms", &elapsed)]);
            event.is(level, &[("background", in_background)]);
            // Otherwise it is returned.
            let has_error = outcome == Err("no disk") && in_background == "true";
            assert_eq!(event.field("error"), has_error.then_some("no disk"));
        }
    }
}

#[tokio::test]
async fn a_rejected_request_is_logged_with_its_lengths() {
    let requests = [
        (unsigned(), Level::DEBUG, "0"),
        (forged(), Level::WARN, "255"),
    ];
    for (request, level, length) in requests {
        let (log, _guard) = Log::start();
        let request = with_headers(request);
        deliver(&layer(), request, SECOND, Ok(204)).await.unwrap();
        let event = log.event();
        event.is(level, &[("status", "401"), ("body_length", length)]);
        event.is(
            level,
            &[("content_length", "255"), ("content_encoding", "gzip")],
        );
    }
}

#[tokio::test]
async fn a_content_encoding_is_logged_up_to_64_characters() {
    let long = "gzip,".repeat(12_000);
    for request in [unsigned(), forged()] {
        let (log, _guard) = Log::start();
        let mut request = request;
        let headers = request.headers_mut();
        headers.insert("content-encoding", long.parse().unwrap());
        deliver(&layer(), request, SECOND, Ok(204)).await.unwrap();
        assert_eq!(log.event().field("content_encoding"), Some(&long[..64]));
    }
}

#[tokio::test]
async fn the_length_of_a_body_over_the_limit_counts_the_frame_that_exceeded_it() {
    let (log, _guard) = Log::start();
    let body = Script::new([Step::Data(CHANGE.into())]);
    let service = layer().body_limit(10).layer(slow(SECOND));
    service.oneshot(signed(CHANGE, body)).await.unwrap();
    let fields = [("reason", "body_too_large"), ("body_length", "255")];
    log.event().is(Level::WARN, &fields);
}

#[tokio::test]
async fn a_cause_that_an_error_prints_itself_is_not_repeated() {
    #[derive(Debug)]
    struct Prints(&'static str, std::io::Error);
    impl std::fmt::Display for Prints {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }
    impl std::error::Error for Prints {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.1)
        }
    }
    for (text, logged) in [
        (
            "connection error: reset",
            "the request body could not be read: connection error: reset",
        ),
        (
            "connection error",
            "the request body could not be read: connection error: reset",
        ),
    ] {
        let (log, _guard) = Log::start();
        let error = Prints(text, std::io::Error::other("reset"));
        let body = Script::new([Step::FailWith(Box::new(error))]);
        let service = layer().layer(slow(SECOND));
        service.oneshot(signed(CHANGE, body)).await.unwrap();
        log.event().is(Level::WARN, &[("error", logged)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_event_is_logged_at_warn_once_a_minute_for_each_layer() {
    let (log, _guard) = Log::start();
    let first = layer();
    // Two services of one layer, as for two connections.
    for _ in 0..3 {
        deliver(&first, forged(), SECOND, Ok(204)).await.unwrap();
    }
    deliver(&layer(), forged(), SECOND, Ok(204)).await.unwrap();
    advance(Duration::from_secs(59)).await;
    deliver(&first, forged(), SECOND, Ok(204)).await.unwrap();
    advance(SECOND).await;
    deliver(&first, forged(), SECOND, Ok(204)).await.unwrap();

    let logged: Vec<_> = log
        .events()
        .into_iter()
        .map(|event| (event.level, event.field("suppressed").map(str::to_owned)))
        .collect();
    let at_warn = |suppressed: &str| (Level::WARN, Some(suppressed.to_owned()));
    assert_eq!(
        logged,
        [
            at_warn("0"),
            (Level::DEBUG, None),
            (Level::DEBUG, None),
            at_warn("0"), // another layer
            (Level::DEBUG, None),
            at_warn("3"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn each_reason_is_limited_by_itself() {
    let mut malformed = genuine();
    let header = "sha256=0123".parse().unwrap();
    malformed.headers_mut().insert(HEADER, header);
    let script = |steps: Vec<Step>| signed(CHANGE, Script::new(steps));
    let whole = || Script::from(Bytes::from(CHANGE));
    let layer = layer().public_url("https://another.example".parse().unwrap());
    let (log, _guard) = Log::start();
    let requests = [
        (
            RejectionKind::SignatureMalformed,
            malformed.map(|_| whole()),
        ),
        (RejectionKind::SignatureMismatch, forged().map(|_| whole())),
        (
            RejectionKind::BodyTooLarge,
            signed(CHANGE, Script::default().declaring(1 << 30)),
        ),
        (
            RejectionKind::BodyIncomplete,
            script(vec![Step::Fail("reset")]),
        ),
        (RejectionKind::BodyTimeout, script(vec![Step::Hang])),
        (
            RejectionKind::CallbackUrlMismatch,
            genuine().map(|_| whole()),
        ),
    ];
    for (reason, request) in requests {
        layer.layer(slow(SECOND)).oneshot(request).await.unwrap();
        let event = log.events().pop().unwrap();
        event.is(
            Level::WARN,
            &[("reason", reason.as_str()), ("suppressed", "0")],
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_logged_at_warn_once_a_minute() {
    for (body, time, status, repeated) in [
        (CHANGE, Duration::ZERO, 503, 1),
        (CHANGE, SIX_SECONDS, 204, 1),
        (CHANGE, SIX_SECONDS, 503, 2), // late, and then in the background
        (INVALID_FIELD, Duration::ZERO, 204, 1),
        (MALFORMED, Duration::ZERO, 204, 1),
    ] {
        let (log, _guard) = Log::start();
        let layer = layer();
        let mut deliveries = JoinSet::new();
        for _ in 0..100 {
            let layer = layer.clone();
            let request = signed(body, body.into());
            deliveries.spawn(async move { deliver(&layer, request, time, Ok(status)).await });
        }
        deliveries.join_all().await;
        sleep(SIX_SECONDS).await;
        let warnings = log
            .events()
            .into_iter()
            .filter(|event| event.level == Level::WARN);
        assert_eq!(warnings.count(), repeated);
    }
}

#[tokio::test]
async fn an_error_of_the_handler_is_logged_for_each_delivery() {
    let (log, _guard) = Log::start();
    let layer = layer();
    for outcome in [Err("no disk"), Err("panic"), Err("no disk"), Err("panic")] {
        deliver_in_task(&layer, Duration::ZERO, outcome).await;
    }
    assert!(log.events().iter().all(|event| event.level == Level::ERROR));
    assert_eq!(log.events().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_late_handler_and_a_client_disconnect_are_logged_with_the_policy() {
    for (overrun, status, continues) in [
        (Overrun::Finish, "503", "true"),
        (Overrun::Accept, "202", "true"),
        (Overrun::Cancel, "503", "false"),
    ] {
        let background = Background::new();
        let layer = layer().overrun(overrun).background(background.clone());
        let policy = format!("{overrun:?}").to_lowercase();
        let policy = [CHANNEL, ("overrun", &*policy), ("continues", continues)];

        let (log, guard) = Log::start();
        let late = deliver(&layer, genuine(), SIX_SECONDS, Ok(204));
        assert_eq!(late.await.unwrap().status().as_str(), status);
        let event = log.event();
        event.is(Level::WARN, &policy);
        event.is(Level::WARN, &[("status", status), ("elapsed_ms", "4000")]);
        background.wait().await;
        drop(guard);

        let (log, _guard) = Log::start();
        let disconnected = deliver(&layer, genuine(), SIX_SECONDS, Ok(204));
        assert!(timeout(SECOND, disconnected).await.is_err());
        let event = log.event();
        event.is(Level::WARN, &policy);
        event.is(Level::WARN, &[("elapsed_ms", "1000")]);
        background.wait().await;
    }
}

#[test]
fn a_handler_dropped_during_an_unrelated_panic_did_not_panic() {
    let (log, _guard) = Log::start();
    let panicked = std::panic::catch_unwind(|| {
        let runtime = runtime();
        let _ = runtime.block_on(deliver(&layer(), genuine(), SIX_SECONDS, Ok(204)));
        // The runtime is dropped while this unwinds.
        resume_unwind(Box::new("unrelated"));
    });
    assert!(panicked.is_err());
    let message = log.events().pop().unwrap().message;
    assert!(message.contains("runtime"), "{message}");
}

/// Enters a span when it is polled, and not when it is dropped, as `Trace` of tower-http does.
struct InSpan<F>(tracing::Span, Pin<Box<F>>);

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let span = self.0.clone();
        let _entered = span.enter();
        self.1.as_mut().poll(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn the_background_has_a_root_span_that_follows_from_the_request() {
    const BACKGROUND: &str = "cronofy_webhook.background";

    let (log, _guard) = Log::start();
    let background = Background::new();
    let layer = layer().background(background.clone());
    deliver(&layer, genuine(), SIX_SECONDS, Ok(204))
        .instrument(tracing::info_span!("request"))
        .await
        .unwrap();
    // The response is out, so the span of the request is closed.
    assert_eq!(log.closed(), ["request"]);
    assert_eq!(log.follows(), [(BACKGROUND, "request")]);
    background.wait().await;
    assert_eq!(log.closed(), ["request", BACKGROUND]);
    let spans: Vec<_> = log.events().into_iter().map(|event| event.spans).collect();
    assert_eq!(spans, [vec!["request"], vec![BACKGROUND]]);
}

#[tokio::test(start_paused = true)]
async fn spans_survive_a_client_disconnect() {
    let reading = Script::new([Step::Hang]);
    let read = layer()
        .layer(slow(SIX_SECONDS))
        .oneshot(signed(CHANGE, reading));
    let handle = layer().layer(slow(SIX_SECONDS)).oneshot(genuine());
    let responses: [Pin<Box<dyn Future<Output = _>>>; 2] = [Box::pin(read), Box::pin(handle)];
    for response in responses {
        let (log, _guard) = Log::start();
        let response = InSpan(tracing::info_span!("request"), Box::pin(response));
        assert!(timeout(SECOND, response).await.is_err());
        assert_eq!(log.event().spans, ["request"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_notification_that_could_not_be_parsed_is_logged_with_its_reason() {
    for (body, level, kind) in [
        (
            &br#"{"notification":{"type":"change","changes_since":"yesterday"},"channel":{}}"#[..],
            Level::WARN,
            "change",
        ),
        (
            br#"{"notification":{"type":"verification"}}"#,
            Level::WARN,
            "verification",
        ),
        (
            br#"{"notification":{"type":"future_type"}}"#,
            Level::DEBUG,
            "future_type",
        ),
        (b"{}", Level::WARN, "unknown"),
        (b"yesterday", Level::WARN, "unknown"),
    ] {
        let (log, _guard) = Log::start();
        let request = signed(body, body.into());
        deliver(&layer(), request, SECOND, Ok(204)).await.unwrap();
        let event = log.events().remove(0);
        event.is(level, &[("kind", kind)]);
        assert_eq!(event.field("reason").is_some(), level == Level::WARN);
        assert!(!format!("{event:?}").contains("yesterday"));
    }
}

#[test]
fn a_budget_of_5_seconds_is_logged_at_info() {
    let (log, _guard) = Log::start();
    let _ = layer().budget(Duration::from_millis(4999));
    let _ = layer().budget(Duration::from_secs(5));
    log.event().is(Level::INFO, &[("budget_ms", "5000")]);
}

#[tokio::test(start_paused = true)]
async fn a_completed_future_does_not_keep_the_span_open() {
    let (log, _guard) = Log::start();
    let body = Script::new([Step::Pause(SECOND), Step::Data(CHANGE.into())]);
    let mut response = Box::pin(layer().layer(slow(SECOND)).call(signed(CHANGE, body)));
    let span = tracing::info_span!("request");
    let polled = span.in_scope(|| {
        response
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
    });
    assert!(polled.is_pending());
    drop(span);
    assert!(log.closed().is_empty());
    assert_eq!((&mut response).await.unwrap().status(), 200);
    assert_eq!(log.closed(), ["request"]);
}

#[tokio::test]
async fn a_clone_with_other_settings_has_a_limiter_of_its_own() {
    let first = layer();
    deliver(&first, forged(), SECOND, Ok(204)).await.unwrap();
    let (log, _guard) = Log::start();
    let second = first.clone().overrun(Overrun::Accept);
    for layer in [&first, &second] {
        deliver(layer, forged(), SECOND, Ok(204)).await.unwrap();
    }
    let levels: Vec<_> = log.events().iter().map(|event| event.level).collect();
    assert_eq!(levels, [Level::DEBUG, Level::WARN]);
}
