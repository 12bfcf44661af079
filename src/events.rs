//! Every event that this crate emits, and the only place that knows `tracing`.
//!
//! No event shows a secret, a signature or a body.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;
use tracing::{Instrument as _, Level, Span, debug, enabled, error, info, warn};

use crate::delivery::Delivery;
use crate::notification::{Unknown, UnknownReason};
use crate::rejection::Rejection;

/// What became of a handler that went on in the background.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It answered: nobody is there to take the answer, but this would have been its status.
    Finished(StatusCode),
    /// The inner service answered with an error.
    Failed(Box<dyn Error + Send + Sync>),
    /// It panicked.
    Panicked,
    /// It was still not done when the grace ended, and was dropped.
    GraceEnded(Duration),
    /// The runtime shut down under it.
    Aborted,
}

/// What a filter names. Part of the API: the module of an event is not.
const TARGET: &str = "cronofy_webhook";

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
        ?budget,
        "budget is not below the 5 s that Cronofy waits for the answer to a push notification: \
         late answers will be taken for failures"
    );
}

pub(crate) fn signed_with_unknown_secret(delivery: &Delivery) {
    warn!(
        target: TARGET,
        kind = delivery.notification().kind(),
        channel = channel(delivery),
        secret = %Secret(delivery),
        unknown_signatures = delivery.signature().unknown_signatures(),
        "Cronofy signs with a client secret that this server does not hold: \
         add it before the one that matched is revoked"
    );
}

/// Whether it is worth looking for something to say at warn level.
pub(crate) fn is_watching() -> bool {
    enabled!(target: TARGET, Level::WARN)
}

pub(crate) fn not_understood(unknown: &Unknown) {
    let kind = unknown.kind();
    match unknown.reason() {
        reason @ (UnknownReason::Missing { .. } | UnknownReason::Malformed { .. }) => warn!(
            target: TARGET,
            kind,
            %reason,
            "notification is not as its kind promises, and is handed on as unknown"
        ),
        reason => debug!(
            target: TARGET,
            kind,
            %reason,
            "notification is handed on as unknown"
        ),
    }
}

pub(crate) fn refused(rejection: &Rejection) {
    warn!(
        target: TARGET,
        reason = rejection.kind().as_str(),
        status = rejection.status().as_u16(),
        error = %Chain(rejection),
        "delivery refused"
    );
}

pub(crate) fn answered(delivery: &Delivery, started: Instant, status: Option<StatusCode>) {
    debug!(
        target: TARGET,
        kind = delivery.notification().kind(),
        channel = channel(delivery),
        secret = %Secret(delivery),
        status = status.map(|status| status.as_u16()),
        elapsed = ?started.elapsed(),
        "{}",
        if status.is_some() { "delivery handled" } else { "delivery not handled: the service failed" }
    );
}

pub(crate) fn late(
    delivery: &Delivery,
    started: Instant,
    overrun: &str,
    goes_on: bool,
    status: StatusCode,
) {
    warn!(
        target: TARGET,
        kind = delivery.notification().kind(),
        channel = channel(delivery),
        elapsed = ?started.elapsed(),
        overrun,
        status = status.as_u16(),
        "handler was not done inside the budget: {}",
        fate(goes_on)
    );
}

pub(crate) fn dropped(delivery: &Delivery, started: Instant, overrun: &str, goes_on: bool) {
    warn!(
        target: TARGET,
        kind = delivery.notification().kind(),
        channel = channel(delivery),
        elapsed = ?started.elapsed(),
        overrun,
        "request was dropped before the handler was done (the sender hung up, or a layer outside gave up): {}",
        fate(goes_on)
    );
}

fn fate(goes_on: bool) -> &'static str {
    if goes_on {
        "it goes on in the background"
    } else {
        "it is dropped"
    }
}

pub(crate) fn ended_in_background(delivery: &Delivery, started: Instant, outcome: &Outcome) {
    let kind = delivery.notification().kind();
    let channel = channel(delivery);
    match outcome {
        Outcome::Finished(status) if status.is_success() => info!(
            target: TARGET,
            kind,
            channel,
            elapsed = ?started.elapsed(),
            status = status.as_u16(),
            "late handler finished in the background"
        ),
        Outcome::Finished(status) => warn!(
            target: TARGET,
            kind,
            channel,
            elapsed = ?started.elapsed(),
            status = status.as_u16(),
            "late handler finished in the background, without success"
        ),
        Outcome::Failed(cause) => error!(
            target: TARGET,
            kind,
            channel,
            elapsed = ?started.elapsed(),
            error = %Chain(&**cause),
            "late handler failed in the background"
        ),
        Outcome::Panicked => error!(
            target: TARGET,
            kind,
            channel,
            elapsed = ?started.elapsed(),
            "late handler panicked in the background"
        ),
        Outcome::GraceEnded(grace) => error!(
            target: TARGET,
            kind,
            channel,
            elapsed = ?started.elapsed(),
            ?grace,
            "late handler was dropped: still not done when the grace ended"
        ),
        Outcome::Aborted => error!(
            target: TARGET,
            kind,
            channel,
            elapsed = ?started.elapsed(),
            "late handler was dropped: the runtime shut down"
        ),
    }
}

/// The span of a request, kept for what happens when nobody has it entered: a drop, and the background.
pub(crate) struct RequestSpan(Span);

impl RequestSpan {
    pub(crate) fn current() -> Self {
        Self(Span::current())
    }

    pub(crate) fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        self.0.in_scope(f)
    }

    pub(crate) fn instrument<F: Future>(
        &self,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        future.instrument(self.0.clone())
    }
}

fn channel(delivery: &Delivery) -> Option<&str> {
    delivery
        .notification()
        .channel()
        .map(|channel| &*channel.channel_id)
}

/// The label of the secret that matched, or its place in the set.
struct Secret<'a>(&'a Delivery);

impl fmt::Display for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signature = self.0.signature();
        match signature.label() {
            Some(label) => f.write_str(label),
            None => write!(f, "{}", signature.index()),
        }
    }
}

/// An error and all its causes, on one line.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
