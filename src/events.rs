//! Every event that this crate emits, and the only file that uses `tracing`.
//!
//! One function for each outcome, taking plain values. No event shows a secret, a signature or a body.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use http::StatusCode;
use tracing::{Instrument as _, Span, debug, error, info_span, warn};

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
}

/// The request that an event is about, of which nothing is known to be authentic.
#[derive(Clone, Copy)]
pub(crate) struct RequestBody<'a> {
    /// How many bytes were read.
    pub(crate) read: usize,
    pub(crate) content_length: Option<u64>,
    pub(crate) content_encoding: Option<&'a str>,
}

pub(crate) fn secret_has_stray_ends(index: usize, label: Option<&str>) {
    warn!(
        target: TARGET,
        index,
        label,
        "client secret begins or ends with white space or an invisible character, and is used as it is: \
         if signatures do not match, remove it"
    );
}

pub(crate) fn secret_is_quoted(index: usize, label: Option<&str>) {
    warn!(
        target: TARGET,
        index,
        label,
        "client secret is in quotes, and is used as it is: if signatures do not match, remove the quotes"
    );
}

pub(crate) fn secret_is_assignment(index: usize, label: Option<&str>) {
    warn!(
        target: TARGET,
        index,
        label,
        "client secret has the form NAME=value, and is used as it is: if signatures do not match, set the value only"
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

/// A rejection of a request that is not known to be authentic. `suppressed`: how many were at debug level since the last
/// one at warn level; `None` if this one is at debug level too.
pub(crate) fn rejected(
    reason: &str,
    status: StatusCode,
    cause: &(dyn Error + 'static),
    body: RequestBody<'_>,
    suppressed: Option<u64>,
) {
    macro_rules! rejected {
        ($level:ident) => {
            $level!(
                target: TARGET,
                reason,
                status = status.as_u16(),
                error = chain(cause),
                body_length = body.read,
                content_length = body.content_length,
                content_encoding = body.content_encoding,
                suppressed,
                "request rejected"
            )
        };
    }
    match suppressed {
        Some(_) => rejected!(warn),
        None => rejected!(debug),
    }
}

/// `suppressed` as for [`rejected`].
pub(crate) fn dropped_while_reading(
    body: RequestBody<'_>,
    elapsed: Duration,
    suppressed: Option<u64>,
) {
    macro_rules! dropped {
        ($level:ident) => {
            $level!(
                target: TARGET,
                body_length = body.read,
                content_length = body.content_length,
                content_encoding = body.content_encoding,
                elapsed_ms = millis(elapsed),
                suppressed,
                "request was dropped before its body was complete (client disconnect, or timeout of an outer layer)"
            )
        };
    }
    match suppressed {
        Some(_) => dropped!(warn),
        None => dropped!(debug),
    }
}

/// `suppressed` as for [`rejected`].
pub(crate) fn unknown_secret(
    subject: Subject<'_>,
    unknown_signatures: usize,
    suppressed: Option<u64>,
) {
    macro_rules! unknown {
        ($level:ident) => {
            $level!(
                target: TARGET,
                kind = subject.kind,
                channel = subject.channel,
                secret = subject.secret,
                secret_label = subject.secret_label,
                unknown_signatures,
                suppressed,
                "Cronofy signs with a client secret that this server does not hold: \
                 add it before the one that matched is revoked"
            )
        };
    }
    match suppressed {
        Some(_) => unknown!(warn),
        None => unknown!(debug),
    }
}

pub(crate) fn unknown_type(subject: Subject<'_>) {
    debug!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        "notification is of a type that this version does not know, and is passed on as Unknown"
    );
}

pub(crate) fn malformed(subject: Subject<'_>, reason: &dyn Display) {
    warn!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        %reason,
        "authentic notification could not be parsed, and is passed on as Unknown"
    );
}

pub(crate) fn unreadable_fields(subject: Subject<'_>, fields: &[String]) {
    warn!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        fields = fields.join(", "),
        "optional fields of the notification could not be parsed, and are absent"
    );
}

pub(crate) fn not_ready(subject: Subject<'_>, status: StatusCode, elapsed: Duration) {
    warn!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        status = status.as_u16(),
        elapsed_ms = millis(elapsed),
        "inner service was not ready within the deadline: the handler was not started"
    );
}

/// The error is not in the event, as it is returned to the caller.
pub(crate) fn readiness_failed(subject: Subject<'_>, elapsed: Duration) {
    warn!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        elapsed_ms = millis(elapsed),
        "inner service failed to become ready: the handler was not started"
    );
}

pub(crate) fn dropped_while_waiting(subject: Subject<'_>, elapsed: Duration) {
    warn!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        elapsed_ms = millis(elapsed),
        "request was dropped before the inner service was ready (client disconnect, or timeout of an outer layer): \
         the handler was not started"
    );
}

pub(crate) fn answered(
    subject: Subject<'_>,
    status: StatusCode,
    elapsed: Duration,
    background: bool,
) {
    macro_rules! answered {
        ($level:ident, $message:literal) => {
            $level!(
                target: TARGET,
                kind = subject.kind,
                channel = subject.channel,
                secret = subject.secret,
                secret_label = subject.secret_label,
                status = status.as_u16(),
                elapsed_ms = millis(elapsed),
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
            "handler answered without success: Cronofy retries for 24 hours and then closes the channel"
        );
    }
}

pub(crate) fn answered_late(
    subject: Subject<'_>,
    status: StatusCode,
    elapsed: Duration,
    budget: Duration,
) {
    warn!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        status = status.as_u16(),
        elapsed_ms = millis(elapsed),
        budget_ms = millis(budget),
        "handler answered after the deadline: it blocked its thread, or the runtime is overloaded"
    );
}

/// `cause` is absent in the foreground, where it is returned to the caller.
pub(crate) fn failed(
    subject: Subject<'_>,
    cause: Option<&(dyn Error + 'static)>,
    elapsed: Duration,
    background: bool,
) {
    error!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        error = cause.map(chain),
        elapsed_ms = millis(elapsed),
        background,
        "handler failed"
    );
}

pub(crate) fn panicked(subject: Subject<'_>, elapsed: Duration, background: bool) {
    error!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        elapsed_ms = millis(elapsed),
        background,
        "handler panicked"
    );
}

pub(crate) fn late(
    subject: Subject<'_>,
    overrun: &str,
    continues: bool,
    status: StatusCode,
    elapsed: Duration,
) {
    warn!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        overrun,
        status = status.as_u16(),
        elapsed_ms = millis(elapsed),
        "handler was not done within the deadline: {}",
        match (continues, status.is_success()) {
            (true, true) => "it keeps running in the background",
            (true, false) =>
                "it keeps running in the background, and Cronofy retries the delivery; \
                 a channel whose deliveries are all late is closed after 24 hours: use Overrun::Accept or a queue",
            (false, _) =>
                "it is dropped, and Cronofy retries the delivery; \
                 a channel whose deliveries are all late is closed after 24 hours",
        }
    );
}

pub(crate) fn dropped_while_handling(
    subject: Subject<'_>,
    overrun: &str,
    continues: bool,
    elapsed: Duration,
) {
    warn!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        overrun,
        elapsed_ms = millis(elapsed),
        "request was dropped before the handler was done (client disconnect, or timeout of an outer layer): {}",
        if continues { "it keeps running in the background" } else { "it is dropped" }
    );
}

pub(crate) fn grace_ended(subject: Subject<'_>, grace: Duration, elapsed: Duration) {
    error!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        elapsed_ms = millis(elapsed),
        grace_ms = millis(grace),
        background = true,
        "handler was dropped: it was not done within the grace period"
    );
}

pub(crate) fn aborted(subject: Subject<'_>, elapsed: Duration) {
    error!(
        target: TARGET,
        kind = subject.kind,
        channel = subject.channel,
        elapsed_ms = millis(elapsed),
        background = true,
        "handler was dropped: the runtime shut down"
    );
}

/// The span of a request, kept for when it is not entered: a drop, and a move to the background.
pub(crate) struct RequestSpan(Span);

impl RequestSpan {
    pub(crate) fn current() -> Self {
        Self(Span::current())
    }

    pub(crate) fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        self.0.in_scope(f)
    }

    /// Gives the future a root span that follows from this one. As a child it would keep this one open.
    pub(crate) fn detach<F: Future>(
        &self,
        subject: Subject<'_>,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        let span = info_span!(
            target: TARGET,
            parent: None,
            "cronofy_webhook.background",
            kind = subject.kind,
            channel = subject.channel,
        );
        span.follows_from(&self.0);
        future.instrument(span)
    }
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
