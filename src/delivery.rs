use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;

use crate::events;
use crate::notification::Notification;
use crate::rejection::Rejection;
use crate::signature::{SignatureMatch, Verifier};

/// A request that Cronofy has signed: proof of the check, and what was received.
///
/// There is no other way to one than a successful check: [`verify`](Self::verify), or the middleware, which calls it
/// and puts the result into the extensions of the request. Behind the middleware an axum handler takes it as an
/// argument (feature `axum`); any other service finds it with `request.extensions().get::<Delivery>()`.
///
/// Cloning is cheap: the clones share what was received.
///
/// # Without tower
///
/// Where there is no service to wrap (a serverless function, another framework) call `verify` with the headers and the
/// bytes of the body. Limiting the body and answering in time are then yours to do.
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
/// let refused = Delivery::verify(&verifier, &headers, body.clone()).unwrap_err();
/// assert_eq!(refused.kind(), RejectionKind::SignatureMissing);
///
/// headers.insert(HEADER, verifier.sign(&body)); // what Cronofy does
/// let delivery = Delivery::verify(&verifier, &headers, body)?;
/// assert!(matches!(delivery.notification(), Notification::Verification(_)));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Delivery {
    shared: Arc<Shared>,
}

struct Shared {
    // Read when somebody looks: a handler that takes the raw body does without.
    notification: OnceLock<Notification>,
    body: Bytes,
    signature: SignatureMatch,
    deadline: Option<Deadline>,
}

/// When the answer has to be out, and the clock to hold against it: the shell's, which a test may have paused.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    pub(crate) now: fn() -> Instant,
}

impl Delivery {
    /// Checks the signatures that `headers` list against `body`.
    ///
    /// A body that is authentic is never refused for its content: what is not understood is a
    /// [`Notification::Unknown`].
    ///
    /// Where the check found out something about the secrets or the content that an operator should know, an event at
    /// warn level says so (feature `tracing`).
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
        Self::verify_before(None, verifier, headers, body)
    }

    pub(crate) fn verify_before(
        deadline: Option<Deadline>,
        verifier: &Verifier,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Self, Rejection> {
        let signature = verifier.verify(headers, &body)?;
        let delivery = Self {
            shared: Arc::new(Shared {
                notification: OnceLock::new(),
                body,
                signature,
                deadline,
            }),
        };
        if delivery.signature().unknown_signatures() > 0 {
            events::signed_with_unknown_secret(&delivery);
        }
        if events::is_watching() {
            if let Notification::Unknown(unknown) = delivery.notification() {
                events::not_understood(unknown);
            }
        }
        Ok(delivery)
    }

    /// The notification. Read from the body when it is first asked for, and kept for the next time.
    #[must_use]
    pub fn notification(&self) -> &Notification {
        let Shared {
            notification, body, ..
        } = &*self.shared;
        notification.get_or_init(|| Notification::parse(body).0)
    }

    /// The notification, for one who keeps it: read for them alone, unless it is there to be copied.
    #[cfg(feature = "axum")]
    pub(crate) fn to_notification(&self) -> Notification {
        match self.shared.notification.get() {
            Some(notification) => notification.clone(),
            None => Notification::parse(&self.shared.body).0,
        }
    }

    /// The body, byte for byte as it was received.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.shared.body
    }

    /// Which secret the signature was made with, and what the list of signatures tells about a rotation.
    #[must_use]
    pub fn signature(&self) -> &SignatureMatch {
        &self.shared.signature
    }

    /// What is left of the time in which the middleware answers; zero once it has answered in the handler's stead.
    ///
    /// [`Duration::MAX`] for a delivery that did not come through the middleware, as nobody set it a time.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        match self.shared.deadline {
            Some(Deadline { at, now }) => at.saturating_duration_since(now()),
            None => Duration::MAX,
        }
    }
}

// The body may hold what no log should: it is left out.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("kind", &self.notification().kind())
            .field("signature", self.signature())
            .finish_non_exhaustive()
    }
}
