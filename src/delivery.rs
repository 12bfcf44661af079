use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;

use crate::notification::Notification;
use crate::rejection::Rejection;
use crate::signature::{HEADER, SignatureMatch, Verifier};

/// Up to this length a body is copied. Servers hand out slices of their read buffer, and a slice that a queue or a task
/// keeps would pin all of it; above, the copy costs more than it frees.
const COPIED: usize = 4 * 1024;

/// An authentic request: proof that one of its signatures matched, and what it delivered.
///
/// It can only be obtained from a successful check: [`verify`](Self::verify), or the middleware, which calls it and puts
/// the result into the extensions of the request. Behind the middleware an axum handler takes it as an argument (feature
/// `axum`); any other service finds it with `request.extensions().get::<Delivery>()`.
///
/// Cloning is cheap: clones share their contents.
///
/// # Without tower
///
/// Where there is no service to wrap (a serverless function, another framework), call `verify` with the headers and the
/// bytes of the body, or [`verify_raw`](Self::verify_raw) with the values of the signature header alone. Limiting the size
/// of the body, responding in time, and comparing [`callback_url`](Notification::callback_url) with the URL of the request are
/// then up to you.
///
/// ```
/// use cronofy_webhook::{Delivery, Notification, RejectionKind, Verifier};
/// use cronofy_webhook::signature::HEADER;
/// use bytes::Bytes;
/// use http::HeaderMap;
///
/// let verifier = Verifier::new(["CRN_an_example"])?;
/// let body = Bytes::from_static(br#"{
///     "notification": { "type": "verification" },
///     "channel": { "channel_id": "chn_54cf7c7cb4ad4c1027000001", "callback_url": "https://receiver.example/cronofy" }
/// }"#);
///
/// let mut headers = HeaderMap::new();
/// let rejection = Delivery::verify(&verifier, &headers, body.clone()).unwrap_err();
/// assert_eq!(rejection.kind(), RejectionKind::SignatureMissing);
///
/// headers.insert(HEADER, verifier.sign(&body)); // what Cronofy does
/// let delivery = Delivery::verify(&verifier, &headers, body)?;
/// assert!(matches!(delivery.notification(), Notification::Verification(_)));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Delivery {
    shared: Arc<Shared>,
}

struct Shared {
    notification: Notification,
    invalid_fields: Vec<String>,
    body: Bytes,
    signature: SignatureMatch,
    deadline: Option<Deadline>,
}

/// When the middleware responds at the latest, and the clock to compare it with: tokio's, which a test may have paused.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    pub(crate) now: fn() -> Instant,
}

impl Delivery {
    /// Checks the signatures listed in `headers` against `body`, and parses the notification.
    ///
    /// An authentic body is never rejected for its content: one that cannot be parsed is a
    /// [`Notification::Unknown`]. Nothing is logged. What the middleware would have logged is in
    /// [`Unknown::reason`](crate::notification::Unknown::reason), [`invalid_fields`](Self::invalid_fields) and
    /// [`SignatureMatch::unknown_signatures`].
    ///
    /// # Errors
    ///
    /// When the signature is missing, malformed, or no listed signature matches; the
    /// [`source`](std::error::Error::source) is the
    /// [`SignatureError`](crate::signature::SignatureError).
    pub fn verify(
        verifier: &Verifier,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Self, Rejection> {
        Self::verify_raw(verifier, headers.get_all(HEADER), body)
    }

    /// As [`verify`](Self::verify), with the values of the header [`Cronofy-HMAC-SHA256`](HEADER) alone, for frameworks
    /// and platforms without [`http::HeaderMap`].
    ///
    /// `signatures` has an item for each line of the header, in any form that gives its bytes; none if the header is absent.
    /// Header names are case-insensitive: `cronofy-hmac-sha256` is the same header.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use cronofy_webhook::{Delivery, Verifier};
    ///
    /// let verifier = Verifier::new(["pDY0Oi7TJSP2hfNmZNkm5"])?;
    /// let body = Bytes::from_static(br#"{"example":"well-known"}"#);
    ///
    /// // The headers of an event of a serverless platform, say.
    /// let headers = [
    ///     ("content-type", "application/json; charset=utf-8"),
    ///     ("Cronofy-HMAC-SHA256", "6r2/HjBkqymGegX0wOfifieeUXbbHwtV/LohHS+jv6c="),
    /// ];
    /// let signatures = headers
    ///     .iter()
    ///     .filter(|(name, _)| name.eq_ignore_ascii_case("cronofy-hmac-sha256"))
    ///     .map(|(_, value)| value);
    /// assert!(Delivery::verify_raw(&verifier, signatures, body.clone()).is_ok());
    ///
    /// assert!(Delivery::verify_raw(&verifier, ["another"], body).is_err());
    /// # Ok::<_, cronofy_webhook::SecretError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_raw(
        verifier: &Verifier,
        signatures: impl IntoIterator<Item = impl AsRef<[u8]>>,
        body: Bytes,
    ) -> Result<Self, Rejection> {
        Self::verify_with_deadline(verifier, signatures, body, None)
    }

    pub(crate) fn verify_with_deadline(
        verifier: &Verifier,
        signatures: impl IntoIterator<Item = impl AsRef<[u8]>>,
        mut body: Bytes,
        deadline: Option<Deadline>,
    ) -> Result<Self, Rejection> {
        let signature = verifier.verify_raw(signatures, &body)?;
        if body.len() <= COPIED {
            body = Bytes::copy_from_slice(&body);
        }
        let (notification, invalid_fields) = Notification::parse(&body);
        Ok(Self {
            shared: Arc::new(Shared {
                notification,
                invalid_fields,
                body,
                signature,
                deadline,
            }),
        })
    }

    /// The notification.
    #[must_use]
    pub fn notification(&self) -> &Notification {
        &self.shared.notification
    }

    /// Paths of the optional fields that were sent but could not be parsed, and are absent from the notification for that
    /// reason: `channel.filters`, say. Usually empty.
    #[must_use]
    pub fn invalid_fields(&self) -> &[String] {
        &self.shared.invalid_fields
    }

    /// The body, byte for byte as it was received.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.shared.body
    }

    /// Which secret the signature was made with, and what the listed signatures say about a rotation.
    #[must_use]
    pub fn signature(&self) -> &SignatureMatch {
        &self.shared.signature
    }

    /// The time left until the middleware responds, whether or not the handler is done; zero once the deadline has
    /// passed.
    ///
    /// `None` without a deadline: the delivery did not come through the middleware, or the
    /// [`budget`](crate::CronofyWebhookLayer::budget) ends later than the clock can express.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let Deadline { at, now } = self.shared.deadline?;
        Some(at.saturating_duration_since(now()))
    }
}

// Without the body, which may hold personal data.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("kind", &self.notification().kind())
            .field("signature", self.signature())
            .finish_non_exhaustive()
    }
}
