use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

use crate::signature::SignatureError;

/// Why a request was answered without, or ahead of, its handler.
///
/// The middleware puts it into the extensions of the response, where a layer outside of it (one that counts refusals,
/// or that has its own idea of an error page) finds it:
///
/// ```
/// use cronofy_webhook::{Rejection, RejectionKind};
/// use http::Response;
///
/// fn count<B>(response: &Response<B>) -> u32 {
///     match response.extensions().get::<Rejection>().map(Rejection::kind) {
///         Some(RejectionKind::SignatureMismatch) => 1,
///         _ => 0,
///     }
/// }
///
/// assert_eq!(count(&Response::new(())), 0);
/// ```
///
/// [`Display`](fmt::Display) and [`source`](Error::source) are for your logs. What the sender is told is
/// [`body_text`](Self::body_text).
#[derive(Clone, Debug)]
pub struct Rejection {
    reason: Reason,
}

#[derive(Clone, Debug)]
enum Reason {
    Signature(SignatureError),
    BodyTooLarge { limit: usize },
    BodyTooLargeElsewhere(Arc<dyn Error + Send + Sync>),
    BodyIncomplete(Arc<dyn Error + Send + Sync>),
    BodyTimeout { budget: Duration },
    HandlerTimeout { budget: Duration },
}

/// The kinds of [`Rejection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The signature header is absent or empty. Status 401; the body was not read.
    SignatureMissing,
    /// No listed value has the form of a signature. Status 401.
    SignatureMalformed,
    /// No listed signature matches the body under a secret held here. Status 401.
    SignatureMismatch,
    /// The body is larger than the limit, by its declared length or as counted; or than that of a layer outside. Status
    /// 413.
    BodyTooLarge,
    /// The body broke off, or could not be read. Status 400.
    BodyIncomplete,
    /// The body was not complete inside the budget. Status 408.
    BodyTimeout,
    /// The handler was not done inside the budget. Status 503.
    HandlerTimeout,
}

impl RejectionKind {
    /// The name of the kind, as events give it: `"signature_mismatch"`, say.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyIncomplete => "body_incomplete",
            Self::BodyTimeout => "body_timeout",
            Self::HandlerTimeout => "handler_timeout",
        }
    }
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Rejection {
    pub(crate) fn body_too_large(limit: usize) -> Self {
        Reason::BodyTooLarge { limit }.into()
    }

    pub(crate) fn body_too_large_elsewhere(cause: Box<dyn Error + Send + Sync>) -> Self {
        Reason::BodyTooLargeElsewhere(cause.into()).into()
    }

    pub(crate) fn body_incomplete(cause: Box<dyn Error + Send + Sync>) -> Self {
        Reason::BodyIncomplete(cause.into()).into()
    }

    pub(crate) fn body_timeout(budget: Duration) -> Self {
        Reason::BodyTimeout { budget }.into()
    }

    pub(crate) fn handler_timeout(budget: Duration) -> Self {
        Reason::HandlerTimeout { budget }.into()
    }

    /// What it was, for a program to tell apart.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        match self.reason {
            Reason::Signature(SignatureError::Missing) => RejectionKind::SignatureMissing,
            Reason::Signature(SignatureError::Malformed { .. }) => {
                RejectionKind::SignatureMalformed
            }
            Reason::Signature(SignatureError::Mismatch { .. }) => RejectionKind::SignatureMismatch,
            Reason::BodyTooLarge { .. } | Reason::BodyTooLargeElsewhere(_) => {
                RejectionKind::BodyTooLarge
            }
            Reason::BodyIncomplete(_) => RejectionKind::BodyIncomplete,
            Reason::BodyTimeout { .. } => RejectionKind::BodyTimeout,
            Reason::HandlerTimeout { .. } => RejectionKind::HandlerTimeout,
        }
    }

    /// The status that the sender gets.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.reason {
            Reason::Signature(_) => StatusCode::UNAUTHORIZED,
            Reason::BodyTooLarge { .. } | Reason::BodyTooLargeElsewhere(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Reason::BodyIncomplete(_) => StatusCode::BAD_REQUEST,
            Reason::BodyTimeout { .. } => StatusCode::REQUEST_TIMEOUT,
            Reason::HandlerTimeout { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The sentence that the sender gets. It tells what to check, and nothing of the secret, the signature or the body.
    #[must_use]
    pub fn body_text(&self) -> &'static str {
        match self.reason {
            Reason::Signature(SignatureError::Missing) => {
                "The Cronofy-HMAC-SHA256 header is missing or empty: this endpoint takes notifications that Cronofy has signed, and nothing else."
            }
            Reason::Signature(SignatureError::Malformed { .. }) => {
                "No value in the Cronofy-HMAC-SHA256 header is the padded Base64 of an HMAC-SHA256."
            }
            Reason::Signature(SignatureError::Mismatch { .. }) => {
                "No signature in the Cronofy-HMAC-SHA256 header belongs to this body: check that this endpoint holds the application's current client secret, and that nothing in between rewrites the body."
            }
            Reason::BodyTooLarge { .. } | Reason::BodyTooLargeElsewhere(_) => {
                "The request body is larger than this endpoint accepts."
            }
            Reason::BodyIncomplete(_) => "The request body broke off before its end.",
            Reason::BodyTimeout { .. } => "The request body was not complete in time.",
            Reason::HandlerTimeout { .. } => {
                "The notification was not handled in time: deliver it again."
            }
        }
    }

    /// The response for the sender: status, text, `WWW-Authenticate` where the status asks for it, and this rejection
    /// in its extensions.
    ///
    /// ```
    /// use cronofy_webhook::{Delivery, Verifier};
    /// use bytes::Bytes;
    /// use http::{HeaderMap, Response};
    ///
    /// let verifier = Verifier::new(["CRN_an_example"])?;
    /// let refused = Delivery::verify(&verifier, &HeaderMap::new(), Bytes::new()).unwrap_err();
    ///
    /// let response: Response<Bytes> = refused.to_response();
    /// assert_eq!(response.status(), 401);
    /// assert_eq!(response.headers()["www-authenticate"], "Cronofy-HMAC-SHA256");
    /// assert_eq!(response.body(), refused.body_text());
    /// # Ok::<_, cronofy_webhook::SecretError>(())
    /// ```
    #[must_use]
    pub fn to_response<R: From<Bytes>>(&self) -> Response<R> {
        let mut response = text(self.status(), self.body_text());
        if response.status() == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 11.6.1: a 401 names at least one scheme.
            response.headers_mut().insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Cronofy-HMAC-SHA256"),
            );
        }
        response.extensions_mut().insert(self.clone());
        response
    }
}

/// A response of ours: one sentence of plain text.
pub(crate) fn text<R: From<Bytes>>(status: StatusCode, sentence: &'static str) -> Response<R> {
    let mut response = Response::new(R::from(Bytes::from_static(sentence.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

impl From<SignatureError> for Rejection {
    fn from(error: SignatureError) -> Self {
        Reason::Signature(error).into()
    }
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        Self { reason }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Signature(_) => f.write_str("the delivery is not authentic"),
            Reason::BodyTooLarge { limit } => {
                write!(f, "the request body is over the limit of {limit} bytes")
            }
            Reason::BodyTooLargeElsewhere(_) => {
                f.write_str("the request body is over a limit outside of this layer")
            }
            Reason::BodyIncomplete(_) => f.write_str("the request body broke off"),
            Reason::BodyTimeout { budget } => {
                write!(
                    f,
                    "the request body was not complete inside the budget of {budget:?}"
                )
            }
            Reason::HandlerTimeout { budget } => {
                write!(
                    f,
                    "the handler was not done inside the budget of {budget:?}"
                )
            }
        }
    }
}

impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            Reason::Signature(error) => Some(error),
            Reason::BodyTooLargeElsewhere(cause) | Reason::BodyIncomplete(cause) => Some(&**cause),
            _ => None,
        }
    }
}
