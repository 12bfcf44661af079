//! `Notification::from_slice` for a body of each family, compared with `serde_json::Value`.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion};
use cronofy_webhook::Notification;
use cronofy_webhook_testing::Payload;

/// A family, and the sample of it that is measured.
pub(crate) const SAMPLES: [(&str, &str); 7] = [
    ("channel", "change:filtered"),
    ("smart invite", "smart_invite"),
    (
        "event subscription",
        "event_subscription:meeting_agent_activated",
    ),
    ("scheduler", "scheduling_request_time_chosen"),
    ("real-time scheduling", "real_time_scheduling_completed"),
    ("enterprise connect", "authorization"),
    ("unknown", "some_future_type"),
];

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (name, sample) in SAMPLES {
        let body = Bytes::from(Payload::sample(sample));
        let body = &body[..];
        group.bench_with_input(BenchmarkId::new("typed", name), body, |bencher, body| {
            bencher.iter(|| Notification::from_slice(black_box(body)));
        });
        group.bench_with_input(BenchmarkId::new("Value", name), body, |bencher, body| {
            bencher.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(body)));
        });
    }
}
