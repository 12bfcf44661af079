//! Every event that this crate emits, and the only module that uses `tracing`.
//!
//! One function for each outcome, taking plain values. No event shows a secret, a signature or a body.

mod request_span;

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use http::StatusCode;
use tracing::{debug, error, warn};

pub(crate) use self::request_span::RequestSpan;

/// What a filter names. Part of the API: the module of an event is not.
const TARGET: &str = "cronofy_webhook";

/// The delivery that an event is about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) kind: &'a str,
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

/// An event about a delivery.
macro_rules! about {
    ($level:ident, $subject:ident, $($fields_and_message:tt)+) => {
        $level!(
            target: TARGET,
            kind = $subject.kind,
            channel = $subject.channel,
            elapsed_ms = millis($subject.elapsed),
            $($fields_and_message)+
        )
    };
}

/// An event that is logged at warn level if the limiter admitted it, with how many it suppressed before.
macro_rules! limited {
    ($suppressed:ident, $($fields_and_message:tt)+) => {
        match $suppressed {
            Some(_) => warn!(target: TARGET, suppressed = $suppressed, $($fields_and_message)+),
            None => debug!(target: TARGET, $($fields_and_message)+),
        }
    };
}

pub(crate) fn suspicious_secret(index: usize, label: Option<&str>, what: &str, remedy: &str) {
    warn!(
        target: TARGET,
        index,
        label,
        "client secret {what}, and is used as it is: if signatures do not match, {remedy}"
    );
}

pub(crate) fn budget_is_long(budget: Duration) {
    warn!(
        target: TARGET,
        budget_ms = millis(budget),
        "budget is not below the 5 s that Cronofy waits for the answer to a push notification: \
         Cronofy takes late answers for failures"
    );
}

pub(crate) fn diagnosis_is_on() {
    warn!(
        target: TARGET,
        "signatures that do not match are explained in the log, at most one a second"
    );
}

pub(crate) fn explained(
    mistake: &str,
    certainty: &str,
    secret: Option<usize>,
    suppressed: u64,
    finding: &dyn Display,
) {
    warn!(target: TARGET, mistake, certainty, secret, suppressed, "signature did not match: {finding}");
}

pub(crate) fn not_explained(suppressed: u64) {
    warn!(
        target: TARGET,
        suppressed,
        "signature did not match, and no known mistake explains it: the request may be forged"
    );
}

/// A rejection of a request that is not known to be authentic. `suppressed`: how many were at debug level since the last
/// one at warn level; `None` if this one is at debug level too.
pub(crate) fn rejected(
    reason: &str,
    status: StatusCode,
    cause: &(dyn Error + 'static),
    body: RequestBody<'_>,
    suppressed: Option<u64>,
) {
    limited!(
        suppressed,
        reason,
        status = status.as_u16(),
        error = chain(cause),
        body_length = body.read,
        content_length = body.content_length,
        content_encoding = body.content_encoding,
        "request rejected"
    );
}

/// `suppressed` as for [`rejected`].
pub(crate) fn dropped_while_reading(
    body: RequestBody<'_>,
    elapsed: Duration,
    suppressed: Option<u64>,
) {
    limited!(
        suppressed,
        body_length = body.read,
        content_length = body.content_length,
        content_encoding = body.content_encoding,
        elapsed_ms = millis(elapsed),
        "request was dropped before its body was complete (client disconnect, or timeout of an outer layer)"
    );
}

/// `suppressed` as for [`rejected`].
pub(crate) fn unknown_secret(
    subject: Subject<'_>,
    unknown_signatures: usize,
    suppressed: Option<u64>,
) {
    limited!(
        suppressed,
        kind = subject.kind,
        channel = subject.channel,
        elapsed_ms = millis(subject.elapsed),
        secret = subject.secret,
        secret_label = subject.secret_label,
        unknown_signatures,
        "Cronofy signs with a client secret that this server does not hold: \
         add it before the one that matched is revoked"
    );
}

pub(crate) fn unknown_type(subject: Subject<'_>) {
    about! { debug, subject,
        "notification is of an unknown type, and is passed on as Unknown"
    }
}

pub(crate) fn malformed(subject: Subject<'_>, reason: &dyn Display) {
    about! { warn, subject, %reason,
        "authentic notification could not be parsed, and is passed on as Unknown"
    }
}

pub(crate) fn unreadable_fields(subject: Subject<'_>, fields: &[String]) {
    about!(
        warn,
        subject,
        fields = fields.join(", "),
        "optional fields of the notification could not be parsed, and are absent"
    );
}

pub(crate) fn not_ready(subject: Subject<'_>, status: StatusCode) {
    about! { warn, subject, status = status.as_u16(),
        "the deadline passed before the handler could be started: \
         the inner service was not ready, the body came late, or the thread was blocked"
    }
}

/// The error is not in the event, as it is returned to the caller.
pub(crate) fn readiness_failed(subject: Subject<'_>) {
    about! { warn, subject,
        "inner service failed to get ready: the handler was not started"
    }
}

pub(crate) fn dropped_while_waiting(subject: Subject<'_>) {
    about! { warn, subject,
        "request was dropped before the inner service was ready (client disconnect, or timeout of an outer layer): \
         the handler was not started"
    }
}

pub(crate) fn answered(subject: Subject<'_>, status: StatusCode, background: bool) {
    macro_rules! answered {
        ($level:ident, $message:literal) => {
            about!(
                $level,
                subject,
                secret = subject.secret,
                secret_label = subject.secret_label,
                status = status.as_u16(),
                background,
                $message
            )
        };
    }
    if status.is_success() {
        answered!(debug, "delivery handled");
    } else {
        answered!(
            warn,
            "handler responded with a status other than 2xx: \
             Cronofy retries push notifications for 24 hours and then closes the channel"
        );
    }
}

pub(crate) fn answered_late(subject: Subject<'_>, status: StatusCode, budget: Duration) {
    about! { warn, subject, status = status.as_u16(), budget_ms = millis(budget),
        "handler responded after the deadline: it blocked its thread, or the runtime is overloaded"
    }
}

/// `cause` is absent in the foreground, where it is returned to the caller.
pub(crate) fn failed(
    subject: Subject<'_>,
    cause: Option<&(dyn Error + 'static)>,
    background: bool,
) {
    about! { error, subject, error = cause.map(chain), background,
        "handler failed"
    }
}

pub(crate) fn panicked(subject: Subject<'_>, background: bool) {
    about!(error, subject, background, "handler panicked");
}

pub(crate) fn late(subject: Subject<'_>, overrun: &str, continues: bool, status: StatusCode) {
    let retries = if status.is_success() {
        ""
    } else {
        ", and Cronofy retries: a channel whose push notifications are all late is closed after 24 hours \
         (see Overrun::Accept, or use a queue)"
    };
    let status = status.as_u16();
    let then = what_next(continues);
    about! { warn, subject, overrun, status,
        "handler was not done within the deadline: {then}{retries}"
    }
}

pub(crate) fn dropped_while_handling(subject: Subject<'_>, overrun: &str, continues: bool) {
    about!(
        warn,
        subject,
        overrun,
        "request was dropped before the handler was done (client disconnect, or timeout of an outer layer): {}",
        what_next(continues)
    );
}

fn what_next(continues: bool) -> &'static str {
    if continues {
        "it keeps running in the background"
    } else {
        "it is dropped"
    }
}

pub(crate) fn grace_ended(subject: Subject<'_>, grace: Duration) {
    about! { error, subject, grace_ms = millis(grace), background = true,
        "handler was dropped: it was not done within the grace period"
    }
}

pub(crate) fn aborted(subject: Subject<'_>) {
    about! { error, subject, background = true,
        "handler was dropped: the runtime shut down"
    }
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
