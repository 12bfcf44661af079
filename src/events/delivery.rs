//! Events about authentic deliveries: before the handler, and what became of it.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use http::StatusCode;
use tracing::{debug, error, warn};

use super::{Limiter, Outcome, Subject, TARGET, chain, metrics, millis};

pub(crate) fn callback_url_mismatch(
    subject: Subject<'_>,
    limiter: &Limiter,
    reason: &'static str,
    status: StatusCode,
    cause: &(dyn Error + 'static),
) {
    metrics::rejection(reason);
    about! { limiter, warn, subject, "callback_url does not match public_url",
        reason, status = status.as_u16(), error = chain(cause)
    }
}

pub(crate) fn unknown_secret(subject: Subject<'_>, limiter: &Limiter, unknown_signatures: usize) {
    metrics::unknown_signatures(unknown_signatures);
    about! { limiter, warn, subject, "Cronofy also signs with an unknown client secret",
        secret = subject.secret, secret_label = subject.secret_label, unknown_signatures
    }
}

pub(crate) fn unknown_type(subject: Subject<'_>) {
    about!(debug, subject, "notification is of an unknown type");
}

pub(crate) fn malformed(subject: Subject<'_>, limiter: &Limiter, reason: &dyn Display) {
    about! { limiter, warn, subject, "notification could not be parsed",
        %reason
    }
}

pub(crate) fn invalid_fields(subject: Subject<'_>, limiter: &Limiter, fields: &[String]) {
    about! { limiter, warn, subject, "notification has invalid fields",
        fields = fields.join(", ")
    }
}

pub(crate) fn not_started(
    subject: Subject<'_>,
    limiter: &Limiter,
    reason: &'static str,
    status: StatusCode,
) {
    metrics::rejection(reason);
    about! { limiter, warn, subject, "handler was not started within the deadline",
        reason, status = status.as_u16()
    }
}

/// The error is not in the event, as it is returned to the caller.
pub(crate) fn readiness_failed(subject: Subject<'_>, limiter: &Limiter) {
    metrics::delivery(subject, Outcome::Failed);
    about!(limiter, warn, subject, "inner service's poll_ready failed");
}

pub(crate) fn dropped_while_waiting(subject: Subject<'_>, limiter: &Limiter) {
    metrics::delivery(subject, Outcome::Dropped);
    about! { limiter, warn, subject, "request dropped before the handler was started" }
}

pub(crate) fn responded(
    subject: Subject<'_>,
    limiter: &Limiter,
    status: StatusCode,
    background: bool,
) {
    if status.is_success() {
        count(subject, Outcome::Handled, background);
        about! { debug, subject, "delivery handled",
            secret = subject.secret, secret_label = subject.secret_label,
            status = status.as_u16(), background
        }
    } else {
        count(subject, Outcome::Failed, background);
        about! { limiter, warn, subject, "handler responded with a status other than 2xx",
            secret = subject.secret, secret_label = subject.secret_label,
            status = status.as_u16(), background
        }
    }
}

pub(crate) fn responded_late(
    subject: Subject<'_>,
    limiter: &Limiter,
    status: StatusCode,
    budget: Duration,
) {
    metrics::delivery(subject, Outcome::Late);
    about! { limiter, warn, subject, "handler responded after the deadline",
        status = status.as_u16(), budget_ms = millis(budget)
    }
}

/// `cause` is absent in the foreground, where it is returned to the caller.
pub(crate) fn failed(
    subject: Subject<'_>,
    cause: Option<&(dyn Error + 'static)>,
    background: bool,
) {
    count(subject, Outcome::Failed, background);
    about! { error, subject, "handler failed", error = cause.map(chain), background }
}

pub(crate) fn panicked(subject: Subject<'_>, background: bool) {
    count(subject, Outcome::Failed, background);
    about!(error, subject, "handler panicked", background);
}

pub(crate) fn late(
    subject: Subject<'_>,
    limiter: &Limiter,
    overrun: &str,
    continues: bool,
    status: StatusCode,
) {
    metrics::delivery(subject, Outcome::Late);
    about! { limiter, warn, subject, "handler exceeded the deadline",
        overrun, continues, status = status.as_u16()
    }
}

pub(crate) fn dropped_while_handling(
    subject: Subject<'_>,
    limiter: &Limiter,
    overrun: &str,
    continues: bool,
) {
    metrics::delivery(subject, Outcome::Dropped);
    about! { limiter, warn, subject, "request dropped while the handler was running",
        overrun, continues
    }
}

/// A handler that could not continue, as all places in the background are taken.
pub(crate) fn no_place(subject: Subject<'_>, limiter: &Limiter, overrun: &str) {
    metrics::delivery(subject, Outcome::Dropped);
    about! { limiter, warn, subject, "handler dropped: no place in the background",
        overrun
    }
}

/// A handler that was dropped, and is counted already.
pub(crate) fn panicked_in_drop(subject: Subject<'_>) {
    about!(error, subject, "handler panicked while it was dropped");
}

pub(crate) fn grace_ended(subject: Subject<'_>, grace: Duration) {
    metrics::background_finished(Outcome::Dropped);
    about! { error, subject, "handler exceeded the grace period",
        grace_ms = millis(grace), background = true
    }
}

pub(crate) fn aborted(subject: Subject<'_>) {
    metrics::background_finished(Outcome::Dropped);
    about! { error, subject, "handler dropped: the runtime shut down",
        background = true
    }
}

/// In the background the delivery was counted when its response was sent or its request dropped.
fn count(subject: Subject<'_>, outcome: Outcome, background: bool) {
    if background {
        metrics::background_finished(outcome);
    } else {
        metrics::delivery(subject, outcome);
    }
}
