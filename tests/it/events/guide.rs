//! The tables of the guide *Events*, and what is emitted.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Background, CronofyWebhookLayer, Overrun, Secret, Verifier};
use http::Request;
use http_body_util::Full;
use tokio::time::{advance, sleep, timeout};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};
use tracing::Level;

use super::{INVALID_FIELD, MALFORMED, SECOND, deliver, deliver_in_task, runtime, with_headers};
use crate::log::Log;
use crate::support::{
    CHANGE, OTHER_SECRET, Reply, SECRET, SIX_SECONDS, Script, Step, forged, genuine, signed, slow,
    unsigned,
};

/// A row of a table in the guide: the levels, that of suppressed events too, and the fields.
type Row = (BTreeSet<Level>, BTreeSet<String>);

#[test]
fn the_guide_lists_every_event() {
    let (log, _guard) = Log::start();
    emit_everything();
    let mut emitted: BTreeMap<String, Row> = BTreeMap::new();
    for event in log.events() {
        assert_eq!(event.target, "cronofy_webhook", "{event:?}");
        let (levels, fields) = emitted.entry(event.message).or_default();
        levels.insert(event.level);
        fields.extend(event.fields.keys().map(ToString::to_string));
    }
    let guide = guide();
    let messages: BTreeSet<_> = guide.keys().chain(emitted.keys()).collect();
    let differences: Vec<_> = messages
        .into_iter()
        .map(|message| (message, guide.get(message), emitted.get(message)))
        .filter(|(_, in_guide, emitted)| in_guide != emitted)
        .map(|difference| format!("{difference:?}"))
        .collect();
    assert!(
        differences.is_empty(),
        "in the guide and emitted: {differences:#?}"
    );
}

/// The rows by their messages.
fn guide() -> BTreeMap<String, Row> {
    let guide = include_str!("../../../src/documentation/events.md");
    let mut rows = BTreeMap::new();
    let mut common: &[&str] = &[];
    for line in guide.lines() {
        if line.starts_with("# ") {
            common = match line {
                "# Deliveries" => &["kind", "channel", "elapsed_ms"],
                _ => &[],
            };
        }
        let Some(row) = line.strip_prefix("| `") else {
            continue;
        };
        let cells: Vec<_> = row.split(" | ").collect();
        let [message, level, fields, _what_to_do] = cells[..] else {
            panic!("{line}");
        };
        let named = fields.split('`').skip(1).step_by(2);
        let fields = named.chain(common.iter().copied());
        let mut row: Row = (BTreeSet::new(), fields.map(str::to_owned).collect());
        let level = match level.strip_suffix(", limited") {
            Some(level) => {
                row.0.insert(Level::DEBUG);
                row.1.insert("suppressed".to_owned());
                level
            }
            None => level,
        };
        row.0.insert(level.parse().unwrap());
        let message = message.trim_end_matches('`').to_owned();
        assert!(rows.insert(message, row).is_none(), "twice: {line}");
    }
    rows
}

/// Emits every event that there is: each twice within the minute of the limiter.
fn emit_everything() {
    const LATE: Duration = Duration::from_millis(1500);

    let runtime = runtime();
    let secret = Secret::new(SECRET).with_label("2026");
    let layer = CronofyWebhookLayer::from_verifier(Verifier::new([secret]).unwrap());
    let layer = layer.budget(SECOND).grace(SECOND);
    let full = layer
        .clone()
        .background(Background::max(1))
        .grace(10 * SIX_SECONDS);
    runtime.block_on(deliver_in_task(&full, Duration::MAX, Ok(204)));
    for _ in 0..2 {
        runtime.block_on(async {
            emit_before_the_handler(&layer).await;
            for outcome in [Ok(204), Ok(404), Err("no disk"), Err("panic")] {
                deliver_in_task(&layer, Duration::ZERO, outcome).await;
                deliver_in_task(&layer, LATE, outcome).await;
            }
            deliver_in_task(&layer, Duration::MAX, Ok(204)).await;
            deliver_in_task(&full, LATE, Ok(204)).await;
            layer.layer(blocking()).oneshot(genuine()).await.unwrap();
            let delivery = deliver(&layer, genuine(), LATE, Ok(204));
            assert!(timeout(SECOND / 2, delivery).await.is_err());
            emit_rejections(&layer).await;
            // What is in the background is done.
            sleep(2 * SECOND).await;
        });
        runtime.block_on(async {
            let cancel = layer.clone().overrun(Overrun::Cancel);
            let late = cancel.layer(panicking_in_drop()).oneshot(genuine());
            assert_eq!(late.await.unwrap().status(), 503);
        });
        let quoted = Secret::new(format!("\"{SECRET}\"")).with_label("2026");
        let _ = Verifier::new([quoted]).unwrap();
        let _ = layer.clone().budget(5 * SECOND);
    }
    runtime.block_on(deliver_in_task(&layer, LATE, Ok(204)));
    drop(runtime);
}

async fn emit_before_the_handler(layer: &CronofyWebhookLayer) {
    deliver(layer, in_rotation(), SECOND / 2, Ok(204))
        .await
        .unwrap();
    let future_type: &[u8] = br#"{"notification":{"type":"future_type"},"channel":{"channel_id":"c","callback_url":"u"}}"#;
    for body in [future_type, INVALID_FIELD, MALFORMED] {
        let request = signed(body, body.into());
        deliver(layer, request, Duration::ZERO, Ok(204))
            .await
            .unwrap();
    }

    let (mock, mut handle) = tower_test::mock::pair::<Request<Full<Bytes>>, Reply>();
    handle.send_error("worn out");
    assert!(layer.layer(mock).oneshot(genuine()).await.is_err());
    let (mock, mut handle) = tower_test::mock::pair::<Request<Full<Bytes>>, Reply>();
    handle.allow(0);
    let service = layer.layer(mock);
    assert_eq!(
        service.clone().oneshot(genuine()).await.unwrap().status(),
        503
    );
    assert!(
        timeout(SECOND / 2, service.oneshot(genuine()))
            .await
            .is_err()
    );
}

async fn emit_rejections(layer: &CronofyWebhookLayer) {
    for request in [unsigned(), forged()] {
        deliver(layer, with_headers(request), SECOND, Ok(204))
            .await
            .unwrap();
    }
    let body = Script::new([Step::Data(CHANGE[..100].into()), Step::Hang]);
    let request = with_headers(signed(CHANGE, body));
    let reading = layer.layer(slow(SECOND)).oneshot(request);
    assert!(timeout(SECOND / 2, reading).await.is_err());
    let strict = layer
        .clone()
        .public_url("https://another.example".parse().unwrap());
    let panics = layer
        .clone()
        .on_mismatch(|_| resume_unwind(Box::new("of the hook")));
    for _ in 0..2 {
        deliver(&strict, genuine(), SECOND, Ok(204)).await.unwrap();
        deliver(&panics, forged(), SECOND, Ok(204)).await.unwrap();
    }
}

fn panicking_in_drop()
-> impl Service<Request<Full<Bytes>>, Response = Reply, Error = Infallible, Future: Send + 'static>
+ Clone {
    struct PanicsInDrop;
    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            resume_unwind(Box::new("of the drop"));
        }
    }
    service_fn(async |_: Request<Full<Bytes>>| {
        let _panics_in_drop = PanicsInDrop;
        pending().await
    })
}

/// A service that blocks its thread: time passes within one poll.
fn blocking()
-> impl Service<Request<Full<Bytes>>, Response = Reply, Error = Infallible, Future: Send + 'static>
+ Clone {
    service_fn(|_: Request<Full<Bytes>>| {
        poll_fn(|cx| {
            let _ = pin!(advance(SIX_SECONDS)).poll(cx);
            Poll::Ready(Ok(Reply::default()))
        })
    })
}

/// Signed with two secrets, of which the layer has one.
fn in_rotation() -> Request<Full<Bytes>> {
    let mut request = genuine();
    let both = Verifier::new([SECRET, OTHER_SECRET]).unwrap().sign(CHANGE);
    request.headers_mut().insert(HEADER, both);
    request
}
