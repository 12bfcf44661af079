//! Every event and every metric that this crate emits, and the only module that uses `tracing` and `metrics`.
//!
//! One function for each outcome, taking plain values. No event shows a secret, a signature or a body.

#[macro_use]
mod macros;
mod construction;
mod delivery;
mod handler;
#[cfg(feature = "metrics")]
mod metrics;
mod request;
mod request_span;

use std::error::Error;
use std::time::Duration;

pub(crate) use self::construction::{budget_is_long, suspicious_secret};
pub(crate) use self::delivery::{
    dropped_while_waiting, for_another_url, invalid_fields, malformed, not_ready, readiness_failed,
    unknown_secret, unknown_type,
};
pub(crate) use self::handler::{
    aborted, answered, answered_late, dropped_while_handling, failed, grace_ended, late, no_place,
    panicked, panicked_in_drop,
};
#[cfg(feature = "metrics")]
pub(crate) use self::metrics::{InBackground, describe_metrics, handler_completed};
pub(crate) use self::request::{dropped_while_reading, hook_panicked, rejected};
pub(crate) use self::request_span::RequestSpan;

/// What a filter names. Part of the API: the module of an event is not.
const TARGET: &str = "cronofy_webhook";

/// The delivery that an event is about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) kind: &'a str,
    /// The kind if it is one of those modelled.
    #[cfg(feature = "metrics")]
    pub(crate) kind_label: &'static str,
    pub(crate) channel: Option<&'a str>,
    /// The secret that matched.
    pub(crate) secret: usize,
    pub(crate) secret_label: Option<&'a str>,
    /// Since the middleware was called.
    pub(crate) elapsed: Duration,
}

/// The request that an event is about, of which nothing is known to be authentic.
#[derive(Clone, Copy)]
pub(crate) struct RequestBody<'a> {
    /// How many bytes were read.
    pub(crate) read: usize,
    pub(crate) content_length: Option<u64>,
    pub(crate) content_encoding: Option<&'a str>,
}

pub(crate) fn millis(duration: Duration) -> u64 {
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
