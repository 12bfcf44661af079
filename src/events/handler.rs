//! Events about what became of a handler.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use tracing::{debug, error, warn};

#[cfg(feature = "metrics")]
use super::metrics::{self, Outcome};
use super::{Subject, TARGET, chain, millis};

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
    #[cfg(feature = "metrics")]
    count(
        subject,
        if status.is_success() {
            Outcome::Handled
        } else {
            Outcome::Failed
        },
        background,
    );
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
    #[cfg(feature = "metrics")]
    metrics::delivery(subject, Outcome::Late);
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
    #[cfg(feature = "metrics")]
    count(subject, Outcome::Failed, background);
    about! { error, subject, error = cause.map(chain), background,
        "handler failed"
    }
}

pub(crate) fn panicked(subject: Subject<'_>, background: bool) {
    #[cfg(feature = "metrics")]
    count(subject, Outcome::Failed, background);
    about!(error, subject, background, "handler panicked");
}

pub(crate) fn late(subject: Subject<'_>, overrun: &str, continues: bool, status: StatusCode) {
    #[cfg(feature = "metrics")]
    metrics::delivery(subject, Outcome::Late);
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
    #[cfg(feature = "metrics")]
    metrics::delivery(subject, Outcome::Dropped);
    about!(
        warn,
        subject,
        overrun,
        "request was dropped before the handler was done (client disconnect, or timeout of an outer layer): {}",
        what_next(continues)
    );
}

/// A handler that could not continue, as all places in the background are taken.
pub(crate) fn no_place(subject: Subject<'_>, overrun: &str, suppressed: Option<u64>) {
    #[cfg(feature = "metrics")]
    metrics::delivery(subject, Outcome::Dropped);
    limited!(
        suppressed,
        kind = subject.kind,
        channel = subject.channel,
        elapsed_ms = millis(subject.elapsed),
        overrun,
        "handler dropped: no place in the background"
    );
}

/// The handler was dropped, and panicked in that. It is counted already.
pub(crate) fn panicked_in_drop(subject: Subject<'_>) {
    about!(error, subject, "handler panicked while it was dropped");
}

fn what_next(continues: bool) -> &'static str {
    if continues {
        "it keeps running in the background"
    } else {
        "it is dropped"
    }
}

pub(crate) fn grace_ended(subject: Subject<'_>, grace: Duration) {
    #[cfg(feature = "metrics")]
    metrics::background_finished(Outcome::Dropped);
    about! { error, subject, grace_ms = millis(grace), background = true,
        "handler was dropped: it was not done within the grace period"
    }
}

pub(crate) fn aborted(subject: Subject<'_>) {
    #[cfg(feature = "metrics")]
    metrics::background_finished(Outcome::Dropped);
    about! { error, subject, background = true,
        "handler was dropped: the runtime shut down"
    }
}

/// In the background the delivery was counted when its response was sent or its request dropped.
#[cfg(feature = "metrics")]
fn count(subject: Subject<'_>, outcome: Outcome, background: bool) {
    if background {
        metrics::background_finished(outcome);
    } else {
        metrics::delivery(subject, outcome);
    }
}
