//! What is counted and measured, beside the events. Labels have values from fixed lists only.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::inspect::Stats;

const WAITING: &str = "cronofy_webhook_inbox.waiting";
const TAKEN: &str = "cronofy_webhook_inbox.taken";
const PARKED: &str = "cronofy_webhook_inbox.parked";
const OLDEST_DUE_AGE: &str = "cronofy_webhook_inbox.oldest_due.age";
const RUNS: &str = "cronofy_webhook_inbox.runs";

/// Describes the metrics to the recorder that is installed.
pub(crate) fn describe_metrics() {
    describe_gauge!(
        WAITING,
        Unit::Count,
        "Jobs that no run holds, those in a backoff included"
    );
    describe_gauge!(TAKEN, Unit::Count, "Jobs that a run holds");
    describe_gauge!(
        PARKED,
        Unit::Count,
        "Jobs that had all their attempts, and run no more until they are unparked"
    );
    describe_gauge!(
        OLDEST_DUE_AGE,
        Unit::Seconds,
        "For how long the oldest job that is due has been due; 0 if none is"
    );
    describe_counter!(
        RUNS,
        Unit::Count,
        "Jobs that were taken, by outcome: done, failed, parked or released"
    );
}

pub(crate) fn measured(stats: &Stats) {
    gauge!(WAITING).set(number(stats.waiting));
    gauge!(TAKEN).set(number(stats.taken));
    gauge!(PARKED).set(number(stats.parked));
    let age = stats.oldest_due_age.unwrap_or(Duration::ZERO);
    gauge!(OLDEST_DUE_AGE).set(age.as_secs_f64());
}

pub(crate) fn run_ended(outcome: &'static str) {
    counter!(RUNS, "outcome" => outcome).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 jobs")]
fn number(jobs: u64) -> f64 {
    jobs as f64
}
