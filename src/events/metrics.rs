//! What is counted and measured, beside the events.
//!
//! Labels have values from fixed lists only: what a client can choose would make a new time series each.

use std::time::Instant;

use metrics::{
    Gauge, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use super::{Outcome, Subject};

const DELIVERIES: &str = "cronofy_webhook.deliveries";
const REJECTIONS: &str = "cronofy_webhook.rejections";
const HANDLER_DURATION: &str = "cronofy_webhook.handler.duration";
const BACKGROUND: &str = "cronofy_webhook.background";
const BACKGROUND_FINISHED: &str = "cronofy_webhook.background.finished";
const UNKNOWN_SIGNATURES: &str = "cronofy_webhook.unknown_signatures";

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::Failed => "failed",
            Self::Late => "late",
            Self::Dropped => "dropped",
        }
    }
}

/// Describes the metrics to the recorder that is installed.
pub(crate) fn describe_metrics() {
    describe_counter!(
        DELIVERIES,
        Unit::Count,
        "Authentic deliveries by kind, and by what became of the handler by the time of the response: handled, failed, late or dropped"
    );
    describe_counter!(
        REJECTIONS,
        Unit::Count,
        "Requests that were rejected before the handler was started, by reason"
    );
    describe_histogram!(
        HANDLER_DURATION,
        Unit::Seconds,
        "How long handlers ran until they completed, by kind; in the background too"
    );
    describe_gauge!(
        BACKGROUND,
        Unit::Count,
        "Handlers currently running in the background"
    );
    describe_counter!(
        BACKGROUND_FINISHED,
        Unit::Count,
        "Handlers that left the background, by outcome: handled, failed or dropped"
    );
    describe_counter!(
        UNKNOWN_SIGNATURES,
        Unit::Count,
        "Signatures in authentic deliveries that no configured client secret made"
    );
}

/// A kind that is not known is `_OTHER`: Cronofy may send any other text.
fn kind_label(subject: Subject<'_>) -> &'static str {
    let mut known = subject.known_kinds.iter();
    known
        .find(|kind| **kind == subject.kind)
        .unwrap_or(&"_OTHER")
}

pub(super) fn delivery(subject: Subject<'_>, outcome: Outcome) {
    let kind = kind_label(subject);
    counter!(DELIVERIES, "kind" => kind, "outcome" => outcome.as_str()).increment(1);
}

pub(super) fn rejection(reason: &'static str) {
    counter!(REJECTIONS, "reason" => reason).increment(1);
}

pub(super) fn unknown_signatures(count: usize) {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    counter!(UNKNOWN_SIGNATURES).increment(count);
}

pub(super) fn background_finished(outcome: Outcome) {
    counter!(BACKGROUND_FINISHED, "outcome" => outcome.as_str()).increment(1);
}

/// Measures a handler from its call until it completes.
#[derive(Clone, Copy)]
pub(crate) struct HandlerTimer(Instant);

impl HandlerTimer {
    pub(crate) fn start(now: fn() -> Instant) -> Self {
        Self(now())
    }

    pub(crate) fn completed(self, subject: Subject<'_>, now: fn() -> Instant) {
        let kind = kind_label(subject);
        histogram!(HANDLER_DURATION, "kind" => kind).record(now() - self.0);
    }
}

/// Counts a handler in the background until it is dropped.
pub(crate) struct InBackground(Gauge);

impl InBackground {
    pub(crate) fn start() -> Self {
        let gauge = gauge!(BACKGROUND);
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for InBackground {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
