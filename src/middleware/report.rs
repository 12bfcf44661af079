//! Turns what happened to a request into the plain values of an event.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use tokio::time::Instant;

use super::limiter::{Limiter, Repeated};
use crate::delivery::Delivery;
use crate::events::{self, RequestBody, Subject};
use crate::notification::{Notification, UnknownReason};
use crate::rejection::{Rejection, RejectionKind};

/// A request was rejected after `read` bytes of its body.
pub(super) fn rejected(rejection: &Rejection, headers: &HeaderMap, read: usize, limiter: &Limiter) {
    let kind = rejection.kind();
    let suppressed = match kind {
        // Scanners of the internet would write the log otherwise.
        RejectionKind::SignatureMissing => None,
        kind => limiter.admit(Repeated::Rejected(kind)),
    };
    events::rejected(
        kind.as_str(),
        kind.status(),
        rejection,
        request_body(headers, read),
        suppressed,
    );
}

/// An authentic delivery was rejected, as it was made for another URL.
pub(super) fn for_another_url(
    rejection: &Rejection,
    delivery: &Delivery,
    started: Instant,
    limiter: &Limiter,
) {
    // Anyone who has recorded a delivery can repeat it.
    let suppressed = limiter.admit(Repeated::Rejected(rejection.kind()));
    events::for_another_url(
        subject(delivery, started),
        rejection.kind().as_str(),
        rejection.status(),
        rejection,
        suppressed,
    );
}

/// A request was dropped before its body was complete.
pub(super) fn dropped_while_reading(
    headers: &HeaderMap,
    read: usize,
    elapsed: Duration,
    limiter: &Limiter,
) {
    let suppressed = limiter.admit(Repeated::DroppedWhileReading);
    events::dropped_while_reading(request_body(headers, read), elapsed, suppressed);
}

/// A delivery turned out to be authentic: what its signatures say about a rotation.
pub(super) fn verified(delivery: &Delivery, started: Instant, limiter: &Limiter) {
    let unknown_signatures = delivery.signature().unknown_signatures();
    if unknown_signatures > 0 {
        let suppressed = limiter.admit(Repeated::UnknownSecret);
        events::unknown_secret(subject(delivery, started), unknown_signatures, suppressed);
    }
}

/// A delivery is about to be handled: what an operator should know about its notification.
pub(super) fn parsed(delivery: &Delivery, started: Instant) {
    if let Notification::Unknown(unknown) = delivery.notification() {
        match unknown.reason() {
            UnknownReason::UnknownType => events::unknown_type(subject(delivery, started)),
            reason => events::malformed(subject(delivery, started), reason),
        }
    }
    if !delivery.invalid_fields().is_empty() {
        events::invalid_fields(subject(delivery, started), delivery.invalid_fields());
    }
}

pub(super) fn subject(delivery: &Delivery, started: Instant) -> Subject<'_> {
    let notification = delivery.notification();
    Subject {
        kind: notification.kind(),
        #[cfg(feature = "metrics")]
        kind_label: kind_label(notification.kind()),
        channel: notification
            .channel()
            .map(|channel| channel.channel_id.as_str()),
        secret: delivery.signature().index(),
        secret_label: delivery.signature().label(),
        elapsed: started.elapsed(),
    }
}

/// The kind if it is one of those modelled: Cronofy may send any other text.
#[cfg(feature = "metrics")]
fn kind_label(kind: &str) -> &'static str {
    let mut known = Notification::KINDS.iter();
    known.find(|known| **known == kind).unwrap_or(&"_OTHER")
}

/// The length that the client declared.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn request_body(headers: &HeaderMap, read: usize) -> RequestBody<'_> {
    RequestBody {
        read,
        content_length: content_length(headers),
        content_encoding: headers
            .get(CONTENT_ENCODING)
            .and_then(|value| value.to_str().ok()),
    }
}
