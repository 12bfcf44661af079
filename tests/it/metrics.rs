//! What is counted: each request once, under labels whose values are known in advance.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::{
    Background, CronofyWebhookLayer, Notification, Overrun, RejectionKind, Verifier,
};
use cronofy_webhook_testing::Payload;
use http::{Request, Response};
use http_body_util::Full;
use metrics::{LocalRecorderGuard, Unit, set_default_local_recorder};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tokio::runtime;
use tokio::time::{advance, sleep, timeout};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn};

use crate::support::{
    CHANGE, OTHER_SECRET, Reply, SECRET, SIX_SECONDS, Script, Step, forged, genuine, layer, signed,
    slow, unsigned,
};

/// A recorder of this thread.
struct Recorder {
    snapshotter: Snapshotter,
    _guard: LocalRecorderGuard<'static>,
}

impl Recorder {
    fn install() -> Self {
        // The guard borrows the recorder: one of a test lives as long as the process.
        let recorder = Box::leak(Box::new(DebuggingRecorder::new()));
        Self {
            snapshotter: recorder.snapshotter(),
            _guard: set_default_local_recorder(recorder),
        }
    }

    /// What was recorded since the last call, as `name{label=value}` and the number; of a histogram its values, and of a
    /// gauge by how much it changed.
    fn take(&self) -> BTreeMap<String, String> {
        let metrics = self.snapshotter.snapshot().into_vec().into_iter();
        let metrics = metrics.map(|(key, _, _, value)| {
            let labels: Vec<_> = key
                .key()
                .labels()
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let name = key.key().name().strip_prefix("cronofy_webhook.").unwrap();
            let value = match value {
                DebugValue::Counter(count) => count.to_string(),
                DebugValue::Gauge(value) => value.to_string(),
                DebugValue::Histogram(values) => {
                    let values: Vec<_> = values.iter().map(ToString::to_string).collect();
                    values.join(" ")
                }
            };
            (format!("{name}{{{}}}", labels.join(",")), value)
        });
        // A counter that did not count, and a histogram without values, say nothing.
        metrics
            .filter(|(_, value)| value != "0" && !value.is_empty())
            .collect()
    }

    #[track_caller]
    fn expect(&self, expected: &[(&str, &str)]) {
        let expected = expected
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(self.take(), expected.collect());
    }
}

fn responding(
    status: u16,
) -> impl Service<Request<Full<Bytes>>, Response = Reply, Error = Infallible, Future: Send> + Clone
{
    service_fn(move |_| async move {
        let response = Response::builder().status(status).body(Full::default());
        Ok(response.unwrap())
    })
}

#[tokio::test]
async fn the_status_of_the_handler_is_the_outcome() {
    let recorder = Recorder::install();
    for (status, outcome) in [
        (200, "handled"),
        (204, "handled"),
        (301, "failed"),
        (500, "failed"),
    ] {
        let service = layer().layer(responding(status));
        service.oneshot(genuine()).await.unwrap();
        let taken = recorder.take();
        assert_eq!(
            taken[&format!("deliveries{{kind=change,outcome={outcome}}}")],
            "1"
        );
        assert_eq!(taken.len(), 2, "{taken:?}");
        assert!(taken.contains_key("handler.duration{kind=change}"));
    }
}

#[tokio::test]
async fn errors_and_panics_are_failures() {
    /// Fails or panics where it is told to.
    #[derive(Clone, Copy, PartialEq)]
    enum Service {
        FailsInPollReady,
        PanicsInPollReady,
        PanicsInCall,
        PanicsInPoll,
        Fails,
    }
    impl tower::Service<Request<Full<Bytes>>> for Service {
        type Response = Reply;
        type Error = BoxError;
        type Future = Pin<Box<dyn Future<Output = Result<Reply, BoxError>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            assert!(*self != Self::PanicsInPollReady, "broken");
            let fails = *self == Self::FailsInPollReady;
            Poll::Ready(if fails { Err("broken".into()) } else { Ok(()) })
        }

        fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
            assert!(*self != Self::PanicsInCall, "broken");
            let panics = *self == Self::PanicsInPoll;
            Box::pin(async move {
                assert!(!panics, "broken");
                Err("broken".into())
            })
        }
    }

    let recorder = Recorder::install();
    for service in [
        Service::FailsInPollReady,
        Service::PanicsInPollReady,
        Service::PanicsInCall,
        Service::PanicsInPoll,
        Service::Fails,
    ] {
        let response = catch_unwind(layer().layer(service).oneshot(genuine())).await;
        assert!(!matches!(response, Ok(Ok(_))));
        let mut taken = recorder.take();
        taken.remove("handler.duration{kind=change}");
        let failed = ("deliveries{kind=change,outcome=failed}", "1");
        assert_eq!(
            taken,
            BTreeMap::from([failed].map(|(name, value)| (name.into(), value.into())))
        );
    }
}

async fn catch_unwind<F: Future>(future: F) -> std::thread::Result<F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |cx| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_late_handler_is_counted_late_and_then_in_the_background() {
    for overrun in [Overrun::Finish, Overrun::Accept] {
        let recorder = Recorder::install();
        let background = Background::new();
        let layer = layer().overrun(overrun).background(background.clone());
        layer
            .layer(slow(SIX_SECONDS))
            .oneshot(genuine())
            .await
            .unwrap();
        recorder.expect(&[
            ("deliveries{kind=change,outcome=late}", "1"),
            ("background{}", "1"),
        ]);

        background.wait().await;
        recorder.expect(&[
            ("background{}", "-1"),
            ("background.finished{outcome=handled}", "1"),
            ("handler.duration{kind=change}", "6"),
        ]);
    }
}

#[tokio::test(start_paused = true)]
async fn cancel_leaves_nothing_in_the_background() {
    let recorder = Recorder::install();
    let layer = layer().overrun(Overrun::Cancel);
    layer
        .layer(slow(SIX_SECONDS))
        .oneshot(genuine())
        .await
        .unwrap();
    recorder.expect(&[("deliveries{kind=change,outcome=late}", "1")]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_without_a_place_in_the_background_is_counted_dropped() {
    let recorder = Recorder::install();
    let layer = layer().background(Background::max(1));
    let service = layer.layer(slow(SIX_SECONDS));
    service.clone().oneshot(genuine()).await.unwrap();
    recorder.expect(&[
        ("deliveries{kind=change,outcome=late}", "1"),
        ("background{}", "1"),
    ]);
    // The first is done 2 s after its deadline.
    let disconnected = timeout(Duration::from_secs(1), service.oneshot(genuine()));
    disconnected.await.unwrap_err();
    recorder.expect(&[("deliveries{kind=change,outcome=dropped}", "1")]);
}

#[tokio::test(start_paused = true)]
async fn a_client_disconnect_is_counted_dropped_and_then_in_the_background() {
    let recorder = Recorder::install();
    let background = Background::new();
    let service = layer()
        .background(background.clone())
        .layer(slow(SIX_SECONDS));
    let call = service.oneshot(genuine());
    timeout(Duration::from_secs(1), call).await.unwrap_err();
    recorder.expect(&[
        ("deliveries{kind=change,outcome=dropped}", "1"),
        ("background{}", "1"),
    ]);
    background.wait().await;
    recorder.expect(&[
        ("background{}", "-1"),
        ("background.finished{outcome=handled}", "1"),
        ("handler.duration{kind=change}", "6"),
    ]);
}

/// Whatever ends a handler in the background lowers the gauge.
#[tokio::test(start_paused = true)]
async fn a_failure_a_panic_and_the_end_of_the_grace_leave_the_background() {
    let failing = service_fn(async |_: Request<Full<Bytes>>| {
        sleep(SIX_SECONDS).await;
        Err::<Reply, BoxError>("broken".into())
    });
    let panicking = service_fn(async |_: Request<Full<Bytes>>| -> Result<Reply, BoxError> {
        sleep(SIX_SECONDS).await;
        panic!("broken")
    });
    let endless = service_fn(async |_: Request<Full<Bytes>>| -> Result<Reply, BoxError> {
        std::future::pending().await
    });

    async fn run<S>(inner: S, outcome: &str, completes: bool)
    where
        S: Service<
                Request<Full<Bytes>>,
                Response = Reply,
                Error = BoxError,
                Future: Send + 'static,
            > + Clone,
    {
        let recorder = Recorder::install();
        let background = Background::new();
        let service = layer().background(background.clone()).layer(inner);
        service.oneshot(genuine()).await.unwrap();
        assert_eq!(recorder.take()["background{}"], "1");
        background.wait().await;
        let taken = recorder.take();
        assert_eq!(
            taken[&format!("background.finished{{outcome={outcome}}}")],
            "1"
        );
        assert_eq!(taken["background{}"], "-1");
        assert_eq!(taken.len(), 2 + usize::from(completes), "{taken:?}");
    }
    run(failing, "failed", true).await;
    run(panicking, "failed", false).await;
    run(endless, "dropped", false).await;
}

#[test]
fn a_shutdown_of_the_runtime_leaves_the_background() {
    let recorder = Recorder::install();
    let runtime = runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let service = layer().layer(slow::<Full<Bytes>>(SIX_SECONDS));
    runtime.block_on(service.oneshot(genuine())).unwrap();
    assert_eq!(recorder.take()["background{}"], "1");
    drop(runtime);
    recorder.expect(&[
        ("background{}", "-1"),
        ("background.finished{outcome=dropped}", "1"),
    ]);
}

/// Without the time that the body took.
#[tokio::test(start_paused = true)]
async fn the_duration_is_that_of_the_handler_in_seconds() {
    let recorder = Recorder::install();
    let body = Script::new([
        Step::Pause(Duration::from_secs(2)),
        Step::Data(CHANGE.into()),
    ]);
    let service = layer().layer(slow(Duration::from_millis(1500)));
    service.oneshot(signed(CHANGE, body)).await.unwrap();
    recorder.expect(&[
        ("deliveries{kind=change,outcome=handled}", "1"),
        ("handler.duration{kind=change}", "1.5"),
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_counted_by_reason_only() {
    let handler = || slow(Duration::ZERO);
    let script = |steps: Vec<Step>| signed(CHANGE, Script::new(steps));
    let unsigned = unsigned().map(|_| Script::default());
    let forged = forged().map(|_| Script::new([Step::Data(CHANGE.into())]));
    let mut malformed = script(vec![Step::Data(CHANGE.into())]);
    malformed
        .headers_mut()
        .insert("cronofy-hmac-sha256", "sha256=00".parse().unwrap());
    let large = signed(CHANGE, Script::default().declaring(1 << 30));
    let broken = script(vec![Step::Fail("reset")]);
    let stalled = script(vec![Step::Hang]);
    let genuine = script(vec![Step::Data(CHANGE.into())]);
    let layer = layer().public_url("https://another.example".parse().unwrap());
    for (request, reason) in [
        (unsigned, RejectionKind::SignatureMissing),
        (malformed, RejectionKind::SignatureMalformed),
        (forged, RejectionKind::SignatureMismatch),
        (large, RejectionKind::BodyTooLarge),
        (broken, RejectionKind::BodyIncomplete),
        (stalled, RejectionKind::BodyTimeout),
        (genuine, RejectionKind::CallbackUrlMismatch),
    ] {
        let recorder = Recorder::install();
        layer.layer(handler()).oneshot(request).await.unwrap();
        recorder.expect(&[(&format!("rejections{{reason={reason}}}"), "1")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_ready_is_a_rejection_and_a_disconnect_meanwhile_a_drop() {
    let recorder = Recorder::install();
    let limit = GlobalConcurrencyLimitLayer::new(1);
    let service = layer().layer(limit.layer(slow::<Full<Bytes>>(Duration::from_secs(25))));
    service.clone().oneshot(genuine()).await.unwrap();
    recorder.expect(&[
        ("deliveries{kind=change,outcome=late}", "1"),
        ("background{}", "1"),
    ]);

    service.clone().oneshot(genuine()).await.unwrap();
    recorder.expect(&[("rejections{reason=not_ready}", "1")]);

    timeout(Duration::from_secs(1), service.oneshot(genuine()))
        .await
        .unwrap_err();
    recorder.expect(&[("deliveries{kind=change,outcome=dropped}", "1")]);
}

#[tokio::test(start_paused = true)]
async fn a_request_dropped_while_its_body_is_read_is_not_counted() {
    let recorder = Recorder::install();
    let service = layer().layer(slow(Duration::ZERO));
    let call = service.oneshot(signed(CHANGE, Script::new([Step::Hang])));
    timeout(Duration::from_secs(1), call).await.unwrap_err();
    recorder.expect(&[]);
}

#[tokio::test(start_paused = true)]
async fn a_success_after_the_deadline_is_late() {
    let recorder = Recorder::install();
    // Ready in the same poll in which the clock passes the deadline, as after blocking the thread.
    let blocking = service_fn(async |_: Request<Full<Bytes>>| {
        advance(SIX_SECONDS).await;
        Ok::<Reply, Infallible>(Response::default())
    });
    layer().layer(blocking).oneshot(genuine()).await.unwrap();
    let taken = recorder.take();
    assert_eq!(
        taken["deliveries{kind=change,outcome=late}"], "1",
        "{taken:?}"
    );
}

#[tokio::test]
async fn signatures_of_unknown_secrets_are_counted() {
    let recorder = Recorder::install();
    let cronofy = Verifier::new([OTHER_SECRET, "CRN_a_third", SECRET]).unwrap();
    let mut request = genuine();
    let signatures = cronofy.sign(CHANGE);
    request
        .headers_mut()
        .insert("cronofy-hmac-sha256", signatures);
    layer()
        .layer(responding(204))
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(recorder.take()["unknown_signatures{}"], "2");
}

#[tokio::test]
async fn every_kind_has_a_label_of_its_own() {
    let recorder = Recorder::install();
    let service = layer().layer(responding(204));
    for sample in Payload::samples() {
        let body: Bytes = sample.payload().into();
        let request = signed(&body.clone(), body.into());
        service.clone().oneshot(request).await.unwrap();
    }
    let kinds: BTreeSet<_> = recorder
        .take()
        .keys()
        .filter_map(|key| {
            Some(
                key.strip_prefix("deliveries{kind=")?
                    .split_once(',')?
                    .0
                    .to_owned(),
            )
        })
        .collect();
    let mut expected: BTreeSet<_> = Notification::KINDS
        .iter()
        .map(ToString::to_string)
        .collect();
    expected.insert("_OTHER".to_owned());
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn unknown_kinds_share_a_label() {
    let recorder = Recorder::install();
    let service = layer().layer(responding(204));
    for number in 0..1_000 {
        let body = Bytes::from(format!(r#"{{"notification":{{"type":"kind_{number}"}}}}"#));
        let request = signed(&body.clone(), body.into());
        service.clone().oneshot(request).await.unwrap();
    }
    let taken = recorder.take();
    assert_eq!(taken["deliveries{kind=_OTHER,outcome=handled}"], "1000");
    assert_eq!(taken.len(), 2);
    assert_eq!(
        taken["handler.duration{kind=_OTHER}"].split(' ').count(),
        1_000
    );
}

#[tokio::test]
async fn no_label_shows_a_channel_an_account_a_url_or_a_secret() {
    let recorder = Recorder::install();
    let service = layer().layer(responding(204));
    service.clone().oneshot(genuine()).await.unwrap();
    service.clone().oneshot(forged()).await.unwrap();
    service.oneshot(unsigned()).await.unwrap();
    let keys: Vec<_> = recorder.take().into_keys().collect();
    assert_eq!(
        keys,
        [
            "deliveries{kind=change,outcome=handled}",
            "handler.duration{kind=change}",
            "rejections{reason=signature_mismatch}",
            "rejections{reason=signature_missing}",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn each_metric_is_described_with_its_unit() {
    let recorder = Recorder::install();
    let background = Background::new();
    // Described at construction.
    let layer = CronofyWebhookLayer::new(SECRET).background(background.clone());
    let cronofy = Verifier::new([OTHER_SECRET, SECRET]).unwrap();
    let mut request = genuine();
    request
        .headers_mut()
        .insert("cronofy-hmac-sha256", cronofy.sign(CHANGE));
    layer
        .layer(slow(SIX_SECONDS))
        .oneshot(request)
        .await
        .unwrap();
    layer
        .layer(slow(SIX_SECONDS))
        .oneshot(unsigned())
        .await
        .unwrap();
    background.wait().await;

    let metrics = recorder.snapshotter.snapshot().into_vec();
    assert_eq!(metrics.len(), 6);
    for (key, unit, description, _) in metrics {
        let name = key.key().name();
        let expected = if name == "cronofy_webhook.handler.duration" {
            Unit::Seconds
        } else {
            Unit::Count
        };
        assert_eq!(unit, Some(expected), "{name}");
        assert!(description.is_some_and(|text| text.len() > 20), "{name}");
    }
}
