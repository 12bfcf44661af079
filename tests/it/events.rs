//! The events. None shows a secret, a signature or a body, which [`Log::events`] checks.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Background, CronofyWebhookLayer, Overrun, Secret, Verifier};
use http::{Request, StatusCode};
use http_body_util::Full;
use tokio::time::{advance, sleep, timeout};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};
use tracing::{Instrument as _, Level};

use crate::log::Log;
use crate::support::{
    CHANGE, OTHER_SECRET, Reply, SECRET, SIX_SECONDS, Script, Step, forged, genuine, layer, signed,
    slow, unsigned,
};

const SECOND: Duration = Duration::from_secs(1);
const CHANNEL: (&str, &str) = ("channel", "chn_54cf7c7cb4ad4c1027000001");

/// A service that takes a while and then answers, fails or panics.
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
            Err("panic") => std::panic::resume_unwind(Box::new("of the handler")),
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

#[tokio::test(start_paused = true)]
async fn a_success_is_logged_at_debug() {
    let (log, _guard) = Log::start();
    let labelled = Verifier::new([Secret::new(SECRET).with_label("2024")]).unwrap();
    let layer = CronofyWebhookLayer::from_verifier(labelled);
    deliver(&layer, genuine(), SECOND, Ok(204)).await.unwrap();
    let event = log.event();
    assert_eq!(event.message, "delivery handled");
    event.is(
        Level::DEBUG,
        &[
            ("kind", "change"),
            CHANNEL,
            ("secret", "0"),
            ("secret_label", "2024"),
            ("status", "204"),
            ("elapsed_ms", "1000"),
            ("background", "false"),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn an_outcome_has_the_same_level_in_the_foreground_and_in_the_background() {
    for (outcome, level, message) in [
        (Ok(204), Level::DEBUG, "delivery handled"),
        (
            Ok(404),
            Level::WARN,
            "handler responded with a status other than 2xx: \
             Cronofy retries push notifications for 24 hours and then closes the channel",
        ),
        (
            Ok(307),
            Level::WARN,
            "handler responded with a status other than 2xx: \
             Cronofy retries push notifications for 24 hours and then closes the channel",
        ),
        (Err("no disk"), Level::ERROR, "handler failed"),
        (Err("panic"), Level::ERROR, "handler panicked"),
    ] {
        for (time, in_background) in [(SECOND, "false"), (SIX_SECONDS, "true")] {
            let (log, _guard) = Log::start();
            let background = Background::new();
            let layer = layer().background(background.clone());
            let delivery = async move { deliver(&layer, genuine(), time, outcome).await };
            // As a server does, so that a panic ends no more than the task.
            let _ = tokio::spawn(delivery).await;
            background.wait().await;
            let event = log.events().pop().unwrap();
            assert_eq!(event.message, message);
            let elapsed = time.as_millis().to_string();
            event.is(
                level,
                &[
                    ("kind", "change"),
                    CHANNEL,
                    ("elapsed_ms", &elapsed),
                    ("background", in_background),
                ],
            );
            if let (Err("no disk"), "true") = (outcome, in_background) {
                assert_eq!(event.field("error"), Some("no disk"));
            }
        }
    }
}

#[tokio::test]
async fn a_panic_in_poll_ready_is_logged() {
    #[derive(Clone)]
    struct Panics;
    impl Service<Request<Full<Bytes>>> for Panics {
        type Response = Reply;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Reply, Infallible>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            std::panic::resume_unwind(Box::new("of the service"))
        }
        fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
            unreachable!("never ready")
        }
    }
    let (log, _guard) = Log::start();
    assert!(
        tokio::spawn(layer().layer(Panics).oneshot(genuine()))
            .await
            .is_err()
    );
    log.event()
        .is(Level::ERROR, &[("kind", "change"), ("background", "false")]);
}

#[tokio::test]
async fn a_panic_while_the_service_is_called_is_logged() {
    let (log, _guard) = Log::start();
    let panics = service_fn(
        |_: Request<Full<Bytes>>| -> std::future::Ready<Result<Reply, std::io::Error>> {
            std::panic::resume_unwind(Box::new("of the service"))
        },
    );
    let answer = layer().layer(panics).oneshot(genuine());
    assert!(tokio::spawn(answer).await.is_err());
    log.event()
        .is(Level::ERROR, &[("kind", "change"), ("background", "false")]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_the_deadline_is_logged_at_warn() {
    let (log, _guard) = Log::start();
    let blocks = service_fn(|_: Request<Full<Bytes>>| {
        poll_fn(|cx| {
            // As a handler that blocks its thread: time passes within one poll.
            let _ = pin!(advance(SIX_SECONDS)).poll(cx);
            Poll::Ready(Ok::<_, Infallible>(Reply::default()))
        })
    });
    let response = layer().layer(blocks).oneshot(genuine()).await.unwrap();
    assert_eq!(response.status(), 200);
    let event = log.event();
    assert_eq!(
        event.message,
        "handler responded after the deadline: it blocked its thread, or the runtime is overloaded"
    );
    event.is(
        Level::WARN,
        &[
            CHANNEL,
            ("status", "200"),
            ("elapsed_ms", "6000"),
            ("budget_ms", "4000"),
        ],
    );
}

#[tokio::test]
async fn rejections_are_logged_at_warn_and_unsigned_requests_at_debug() {
    let mut malformed = genuine();
    malformed
        .headers_mut()
        .insert(HEADER, "sha256=0123".parse().unwrap());
    let mut forged = forged();
    let headers = forged.headers_mut();
    headers.insert("content-length", "255".parse().unwrap());
    headers.insert("content-encoding", "gzip".parse().unwrap());
    for (layer, request, level, fields) in [
        (
            layer(),
            unsigned(),
            Level::DEBUG,
            &[
                ("reason", "signature_missing"),
                ("status", "401"),
                ("body_length", "0"),
            ][..],
        ),
        (
            layer(),
            forged,
            Level::WARN,
            &[
                ("reason", "signature_mismatch"),
                ("status", "401"),
                ("body_length", "255"),
                ("content_length", "255"),
                ("content_encoding", "gzip"),
                ("suppressed", "0"),
            ],
        ),
        (
            layer(),
            malformed,
            Level::WARN,
            &[("reason", "signature_malformed"), ("body_length", "255")],
        ),
        (
            layer().body_limit(10),
            genuine(),
            Level::WARN,
            &[
                ("reason", "body_too_large"),
                ("status", "413"),
                ("body_length", "0"),
            ],
        ),
    ] {
        let (log, _guard) = Log::start();
        deliver(&layer, request, SECOND, Ok(204)).await.unwrap();
        let event = log.event();
        assert_eq!(event.message, "request rejected");
        event.is(level, fields);
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
async fn rejections_are_logged_at_warn_once_a_minute_for_each_reason_and_layer() {
    let (log, _guard) = Log::start();
    let first = layer();
    // Two services of one layer, as for two connections.
    for _ in 0..3 {
        deliver(&first, forged(), SECOND, Ok(204)).await.unwrap();
    }
    let mut malformed = genuine();
    malformed.headers_mut().insert(HEADER, "x".parse().unwrap());
    deliver(&first, malformed, SECOND, Ok(204)).await.unwrap();
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
            at_warn("0"), // another reason
            at_warn("0"), // another layer
            (Level::DEBUG, None),
            at_warn("3"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_secret_is_logged_at_warn_once_a_minute() {
    let (log, _guard) = Log::start();
    let layer = layer();
    for _ in 0..2 {
        let mut request = genuine();
        let both = Verifier::new([SECRET, OTHER_SECRET]).unwrap().sign(CHANGE);
        request.headers_mut().insert(HEADER, both);
        deliver(&layer, request, SECOND, Ok(204)).await.unwrap();
    }
    let events: Vec<_> = log.events().into_iter().step_by(2).collect();
    assert_eq!(
        events[0].message,
        "Cronofy signs with a client secret that this server does not hold: add it before the one that matched is revoked"
    );
    events[0].is(
        Level::WARN,
        &[
            ("kind", "change"),
            CHANNEL,
            ("secret", "0"),
            ("unknown_signatures", "1"),
            ("suppressed", "0"),
        ],
    );
    events[1].is(Level::DEBUG, &[("unknown_signatures", "1")]);
}

#[tokio::test(start_paused = true)]
async fn a_late_handler_is_logged_at_warn_with_its_policy() {
    for (overrun, status, then) in [
        (
            Overrun::Finish,
            "503",
            "it keeps running in the background, and Cronofy retries: \
             a channel whose push notifications are all late is closed after 24 hours (see Overrun::Accept, or use a queue)",
        ),
        (Overrun::Accept, "202", "it keeps running in the background"),
        (
            Overrun::Cancel,
            "503",
            "it is dropped, and Cronofy retries: \
             a channel whose push notifications are all late is closed after 24 hours (see Overrun::Accept, or use a queue)",
        ),
    ] {
        let (log, _guard) = Log::start();
        let background = Background::new();
        let layer = layer().overrun(overrun).background(background.clone());
        deliver(&layer, genuine(), SIX_SECONDS, Ok(204))
            .await
            .unwrap();
        let event = log.event();
        background.wait().await;
        assert_eq!(
            event.message,
            format!("handler was not done within the deadline: {then}")
        );
        let overrun = format!("{overrun:?}").to_lowercase();
        event.is(
            Level::WARN,
            &[
                ("kind", "change"),
                CHANNEL,
                ("overrun", &overrun),
                ("status", status),
                ("elapsed_ms", "4000"),
            ],
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_outlives_the_grace_is_logged_at_error() {
    let (log, _guard) = Log::start();
    let background = Background::new();
    let layer = layer().background(background.clone());
    deliver(&layer, genuine(), Duration::MAX, Ok(204))
        .await
        .unwrap();
    background.wait().await;
    let event = log.events().pop().unwrap();
    assert_eq!(
        event.message,
        "handler was dropped: it was not done within the grace period"
    );
    event.is(
        Level::ERROR,
        &[CHANNEL, ("elapsed_ms", "34000"), ("grace_ms", "30000")],
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_disconnect_is_logged_at_warn() {
    for (overrun, then) in [
        (Overrun::Finish, "it keeps running in the background"),
        (Overrun::Cancel, "it is dropped"),
    ] {
        let (log, _guard) = Log::start();
        let layer = layer().overrun(overrun);
        let answer = deliver(&layer, genuine(), SIX_SECONDS, Ok(204));
        assert!(timeout(SECOND, answer).await.is_err());
        let event = log.event();
        assert_eq!(
            event.message,
            format!(
                "request was dropped before the handler was done (client disconnect, or timeout of an outer layer): {then}"
            )
        );
        event.is(Level::WARN, &[CHANNEL, ("elapsed_ms", "1000")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_while_its_body_is_read_is_logged_at_warn() {
    let (log, _guard) = Log::start();
    let layer = layer();
    for _ in 0..2 {
        let body = Script::new([Step::Data(CHANGE[..100].into()), Step::Hang]);
        let answer = layer.layer(slow(SECOND)).oneshot(signed(CHANGE, body));
        assert!(timeout(SECOND, answer).await.is_err());
    }
    let events = log.events();
    assert_eq!(
        events[0].message,
        "request was dropped before its body was complete (client disconnect, or timeout of an outer layer)"
    );
    events[0].is(
        Level::WARN,
        &[
            ("body_length", "100"),
            ("elapsed_ms", "1000"),
            ("suppressed", "0"),
        ],
    );
    events[1].is(Level::DEBUG, &[("body_length", "100")]);
    assert_eq!(events.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_inner_service_that_is_not_ready_is_logged_at_warn() {
    let service = ServiceBuilder::new()
        .layer(layer())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(service_fn(|_: Request<Full<Bytes>>| {
            pending::<Result<Reply, std::io::Error>>()
        }));
    let mut holder = Box::pin(service.clone().oneshot(genuine()));
    assert!(timeout(Duration::ZERO, &mut holder).await.is_err());

    let (log, _guard) = Log::start();
    let answer = service.clone().oneshot(genuine()).await.unwrap();
    assert_eq!(answer.status(), 503);
    let event = log.events().pop().unwrap();
    assert_eq!(
        event.message,
        "the deadline passed before the handler could be started: \
         the inner service was not ready, the body came late, or the thread was blocked"
    );
    event.is(
        Level::WARN,
        &[CHANNEL, ("status", "503"), ("elapsed_ms", "4000")],
    );

    let (log, _guard) = Log::start();
    let answer = service.oneshot(genuine());
    assert!(timeout(SECOND, answer).await.is_err());
    let event = log.event();
    assert_eq!(
        event.message,
        "request was dropped before the inner service was ready \
         (client disconnect, or timeout of an outer layer): the handler was not started"
    );
    event.is(Level::WARN, &[CHANNEL, ("elapsed_ms", "1000")]);
}

#[tokio::test]
async fn an_inner_service_that_fails_to_get_ready_is_logged_at_warn() {
    let (log, _guard) = Log::start();
    let (mock, mut handle) = tower_test::mock::pair::<Request<Full<Bytes>>, Reply>();
    handle.send_error("worn out");
    let error = layer().layer(mock).oneshot(genuine()).await.unwrap_err();
    assert_eq!(error.to_string(), "worn out");
    let event = log.event();
    assert_eq!(
        event.message,
        "inner service failed to get ready: the handler was not started"
    );
    event.is(Level::WARN, &[("kind", "change"), CHANNEL]);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

#[test]
fn a_handler_dropped_by_the_runtime_is_logged_at_error() {
    let (log, _guard) = Log::start();
    let runtime = runtime();
    let _ = runtime.block_on(deliver(&layer(), genuine(), SIX_SECONDS, Ok(204)));
    drop(runtime);
    let event = log.events().pop().unwrap();
    assert_eq!(event.message, "handler was dropped: the runtime shut down");
    event.is(Level::ERROR, &[CHANNEL, ("elapsed_ms", "4000")]);
}

#[test]
fn a_handler_dropped_during_an_unrelated_panic_did_not_panic() {
    let (log, _guard) = Log::start();
    let panicked = std::panic::catch_unwind(|| {
        let runtime = runtime();
        let _ = runtime.block_on(deliver(&layer(), genuine(), SIX_SECONDS, Ok(204)));
        // The runtime is dropped while this unwinds.
        std::panic::resume_unwind(Box::new("unrelated"));
    });
    assert!(panicked.is_err());
    let event = log.events().pop().unwrap();
    assert_eq!(event.message, "handler was dropped: the runtime shut down");
}

/// Enters a span when it is polled, and not when it is dropped, as `Trace` of tower-http does.
struct InSpan<F>(tracing::Span, std::pin::Pin<Box<F>>);

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
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
    let answers: [std::pin::Pin<Box<dyn Future<Output = _>>>; 2] =
        [Box::pin(read), Box::pin(handle)];
    for answer in answers {
        let (log, _guard) = Log::start();
        let answer = InSpan(tracing::info_span!("request"), Box::pin(answer));
        assert!(timeout(SECOND, answer).await.is_err());
        assert_eq!(log.event().spans, ["request"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_notification_is_logged_with_its_reason() {
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
        deliver(&layer(), signed(body, body.into()), SECOND, Ok(204))
            .await
            .unwrap();
        let event = log.events().remove(0);
        event.is(level, &[("kind", kind)]);
        assert_eq!(
            event.message,
            match level {
                Level::DEBUG => "notification is of an unknown type, and is passed on as Unknown",
                _ => "authentic notification could not be parsed, and is passed on as Unknown",
            }
        );
        assert_eq!(event.field("reason").is_some(), level == Level::WARN);
        assert!(!format!("{event:?}").contains("yesterday"));
    }
}

#[test]
fn a_budget_longer_than_cronofy_waits_is_logged_at_warn() {
    let (log, _guard) = Log::start();
    let _ = layer().budget(Duration::from_millis(4999));
    let _ = layer().budget(Duration::from_secs(5));
    let event = log.event();
    assert_eq!(
        event.message,
        "budget is not below the 5 s that Cronofy waits for the answer to a push notification: \
         Cronofy takes late answers for failures"
    );
    event.is(Level::WARN, &[("budget_ms", "5000")]);
}

#[tokio::test(start_paused = true)]
async fn a_completed_future_does_not_keep_the_span_open() {
    let (log, _guard) = Log::start();
    let body = Script::new([Step::Pause(SECOND), Step::Data(CHANGE.into())]);
    let mut answer = Box::pin(layer().layer(slow(SECOND)).call(signed(CHANGE, body)));
    let span = tracing::info_span!("request");
    let polled = span.in_scope(|| {
        answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
    });
    assert!(polled.is_pending());
    drop(span);
    assert!(log.closed().is_empty());
    assert_eq!((&mut answer).await.unwrap().status(), 200);
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
