//! Events about authentic deliveries, before the handler runs.

use std::error::Error;
use std::fmt::Display;

use http::StatusCode;
use tracing::{debug, warn};

#[cfg(feature = "metrics")]
use super::metrics::{self, Outcome};
use super::{Subject, TARGET, chain, millis};

/// `suppressed` as for [`rejected`](super::rejected).
pub(crate) fn for_another_url(
    subject: Subject<'_>,
    reason: &'static str,
    status: StatusCode,
    cause: &(dyn Error + 'static),
    suppressed: Option<u64>,
) {
    #[cfg(feature = "metrics")]
    metrics::rejection(reason);
    limited!(
        suppressed,
        kind = subject.kind,
        channel = subject.channel,
        elapsed_ms = millis(subject.elapsed),
        reason,
        status = status.as_u16(),
        error = chain(cause),
        "authentic delivery rejected, as it is for another URL: if it is not a replay, `public_url` is wrong, \
         and Cronofy closes a channel after 24 hours without success"
    );
}

/// `suppressed` as for [`rejected`](super::rejected).
pub(crate) fn unknown_secret(
    subject: Subject<'_>,
    unknown_signatures: usize,
    suppressed: Option<u64>,
) {
    #[cfg(feature = "metrics")]
    metrics::unknown_signatures(unknown_signatures);
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

pub(crate) fn invalid_fields(subject: Subject<'_>, fields: &[String]) {
    about!(
        warn,
        subject,
        fields = fields.join(", "),
        "optional fields of the notification could not be parsed, and are absent"
    );
}

pub(crate) fn not_ready(subject: Subject<'_>, reason: &'static str, status: StatusCode) {
    #[cfg(feature = "metrics")]
    metrics::rejection(reason);
    about! { warn, subject, reason, status = status.as_u16(),
        "the deadline passed before the handler could be started: \
         the inner service was not ready, the body came late, or the thread was blocked"
    }
}

/// The error is not in the event, as it is returned to the caller.
pub(crate) fn readiness_failed(subject: Subject<'_>) {
    #[cfg(feature = "metrics")]
    metrics::delivery(subject, Outcome::Failed);
    about! { warn, subject,
        "inner service failed to get ready: the handler was not started"
    }
}

pub(crate) fn dropped_while_waiting(subject: Subject<'_>) {
    #[cfg(feature = "metrics")]
    metrics::delivery(subject, Outcome::Dropped);
    about! { warn, subject,
        "request was dropped before the inner service was ready (client disconnect, or timeout of an outer layer): \
         the handler was not started"
    }
}
