//! Every event and every metric that this crate emits, and the only module that uses `tracing` and `metrics`.
//!
//! One function for each event, taking plain values. Its message is short and constant, as log tools group by it: what varies
//! is a field. The guide *Events* is the table of them. No event shows a secret, a signature or a body.

/// An event that the limiter admits at its level; the others, of the same message and reason, are at debug level.
macro_rules! limited {
    ($limiter:ident, $reason:expr, $level:ident, $message:literal, $($fields:tt)+) => {
        match $limiter.admit($message, $reason) {
            Some(suppressed) => $level!(target: TARGET, $($fields)+, suppressed, $message),
            None => debug!(target: TARGET, $($fields)+, $message),
        }
    };
}

/// An event about a delivery.
macro_rules! about {
    ($limiter:ident, $level:ident, $subject:ident, $message:literal $(, $($fields:tt)+)?) => {
        limited!(
            $limiter, "", $level, $message,
            kind = $subject.kind, channel = $subject.channel, elapsed_ms = millis($subject.elapsed)
            $(, $($fields)+)?
        )
    };
    ($level:ident, $subject:ident, $message:literal $(, $($fields:tt)+)?) => {
        $level!(
            target: TARGET,
            kind = $subject.kind, channel = $subject.channel, elapsed_ms = millis($subject.elapsed),
            $($($fields)+,)?
            $message
        )
    };
}

mod delivery;
mod limiter;
#[cfg_attr(not(feature = "metrics"), path = "no_metrics.rs")]
mod metrics;
mod request;

use std::error::Error;
use std::time::Duration;

use tracing::{info, warn};

pub(crate) use self::delivery::{
    aborted, callback_url_mismatch, dropped_while_handling, dropped_while_waiting, failed,
    grace_ended, invalid_fields, late, malformed, no_place, not_started, panicked,
    panicked_in_drop, readiness_failed, responded, responded_late, unknown_secret, unknown_type,
};
pub(crate) use self::limiter::Limiter;
pub(crate) use self::metrics::{HandlerTimer, InBackground, describe_metrics};
pub(crate) use self::request::{
    RequestBody, RequestSpan, dropped_while_reading, hook_panicked, rejected, unsigned,
};

/// What a filter names. Part of the API: the module of an event is not.
const TARGET: &str = "cronofy_webhook";

/// The delivery that an event is about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) kind: &'a str,
    /// The kinds that may be a label: `kind` may be any other text.
    #[cfg_attr(
        not(feature = "metrics"),
        expect(dead_code, reason = "a label of metrics")
    )]
    pub(crate) known_kinds: &'static [&'static str],
    pub(crate) channel: Option<&'a str>,
    /// The secret that matched.
    pub(crate) secret: usize,
    pub(crate) secret_label: Option<&'a str>,
    /// Since the middleware was called.
    pub(crate) elapsed: Duration,
}

/// What became of a delivery.
#[derive(Clone, Copy)]
enum Outcome {
    Handled,
    Failed,
    Late,
    Dropped,
}

pub(crate) fn suspicious_secret(index: usize, label: Option<&str>, suspicion: &str, remedy: &str) {
    warn!(
        target: TARGET,
        index,
        label,
        suspicion,
        remedy,
        "client secret looks wrong"
    );
}

pub(crate) fn budget_is_long(budget: Duration) {
    info!(
        target: TARGET,
        budget_ms = millis(budget),
        "budget is not below the 5 s Cronofy waits"
    );
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An error and its causes on one line. Many errors print their cause themselves: it is not repeated.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}
