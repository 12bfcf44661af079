//! `Notification::from_slice` for a body of each family, compared with `serde_json::Value`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use cronofy_webhook::Notification;

macro_rules! fixture {
    ($file:literal) => {
        include_bytes!(concat!("../tests/data/fixtures/", $file, ".json"))
    };
}

pub(crate) const BODIES: [(&str, &[u8]); 7] = [
    ("channel", fixture!("push-change-filtered")),
    ("smart invite", fixture!("smart_invite")),
    (
        "event subscription",
        fixture!("event_subscription-meeting_agent_activated"),
    ),
    (
        "scheduler",
        fixture!("scheduler-scheduling_request_time_chosen"),
    ),
    ("real-time scheduling", fixture!("rts-completed")),
    (
        "enterprise connect",
        fixture!("enterprise-connect-authorized"),
    ),
    ("unknown", fixture!("push-unknown-type")),
];

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (name, body) in BODIES {
        group.bench_with_input(BenchmarkId::new("typed", name), body, |bencher, body| {
            bencher.iter(|| Notification::from_slice(black_box(body)));
        });
        group.bench_with_input(BenchmarkId::new("Value", name), body, |bencher, body| {
            bencher.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(body)));
        });
    }
}
