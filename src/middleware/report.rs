//! Turns what happened to a request into the plain values of an event.

use http::HeaderMap;
use tokio::time::Instant;

use crate::delivery::Delivery;
use crate::events::{self, Limiter, RequestBody, Subject};
use crate::notification::{Notification, UnknownReason};
use crate::rejection::{Rejection, RejectionKind};

/// A request was rejected after `read` bytes of its body.
pub(super) fn rejected(rejection: &Rejection, headers: &HeaderMap, read: usize, limiter: &Limiter) {
    let (reason, status) = (rejection.kind().as_str(), rejection.status());
    let body = RequestBody { headers, read };
    if rejection.kind() == RejectionKind::SignatureMissing {
        events::unsigned(reason, status, rejection, body);
    } else {
        events::rejected(limiter, reason, status, rejection, body);
    }
}

/// A delivery turned out to be authentic: what its signatures say about a rotation.
pub(super) fn verified(delivery: &Delivery, started: Instant, limiter: &Limiter) {
    let unknown_signatures = delivery.signature().unknown_signatures();
    if unknown_signatures > 0 {
        events::unknown_secret(subject(delivery, started), limiter, unknown_signatures);
    }
}

/// A delivery is about to be handled: what an operator should know about its notification.
pub(super) fn parsed(delivery: &Delivery, started: Instant, limiter: &Limiter) {
    if let Notification::Unknown(unknown) = delivery.notification() {
        let subject = subject(delivery, started);
        match unknown.reason() {
            UnknownReason::UnknownType => events::unknown_type(subject),
            reason => events::malformed(subject, limiter, reason),
        }
    }
    let invalid = delivery.invalid_fields();
    if !invalid.is_empty() {
        events::invalid_fields(subject(delivery, started), limiter, invalid);
    }
}

pub(super) fn subject(delivery: &Delivery, started: Instant) -> Subject<'_> {
    let notification = delivery.notification();
    Subject {
        kind: notification.kind(),
        known_kinds: Notification::KINDS,
        channel: notification
            .channel()
            .map(|channel| channel.channel_id.as_str()),
        secret: delivery.signature().index(),
        secret_label: delivery.signature().label(),
        elapsed: started.elapsed(),
    }
}
