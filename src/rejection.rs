use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

use crate::signature::SignatureError;

/// Why a request was answered without its handler, or before the handler was done.
///
/// The middleware puts it into the extensions of the response, where an outer layer (one that counts rejections, or that
/// renders error pages) finds it:
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
/// [`Display`](fmt::Display) and [`source`](Error::source) are for your logs. The client gets
/// [`body_text`](Self::body_text).
#[derive(Clone, Debug)]
pub struct Rejection {
    reason: Reason,
}

#[derive(Clone, Debug)]
enum Reason {
    Signature(SignatureError),
    BodyLimit { limit: usize },
    OuterBodyLimit(Arc<dyn Error + Send + Sync>),
    BodyIncomplete(Arc<dyn Error + Send + Sync>),
    BodyTimeout { budget: Duration },
    OuterBodyTimeout(Arc<dyn Error + Send + Sync>),
    NotReady { budget: Duration },
    HandlerTimeout { budget: Duration },
}

/// The kinds of [`Rejection`].
///
/// [`as_str`](Self::as_str) and [`status`](Self::status) of each:
///
/// ```
/// use cronofy_webhook::RejectionKind;
///
/// assert_eq!(RejectionKind::SignatureMismatch.as_str(), "signature_mismatch");
/// assert_eq!(RejectionKind::SignatureMismatch.status(), 401);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The signature header is absent or blank. Status 401; the body was not read.
    SignatureMissing,
    /// No listed value has the form of a signature. Status 401.
    SignatureMalformed,
    /// No listed signature matches the body under any of the configured secrets. Status 401.
    SignatureMismatch,
    /// The body is larger than the limit, as declared or as counted, or larger than the limit of an outer layer. Status
    /// 413.
    BodyTooLarge,
    /// The body ended early or could not be read. Status 400.
    BodyIncomplete,
    /// The body was not complete within the deadline, or within that of an outer layer. Status 408.
    BodyTimeout,
    /// The deadline passed before the handler could be started: the inner service was not ready, or the body came late.
    /// Status 503.
    NotReady,
    /// The handler was not done within the deadline. Status 503.
    HandlerTimeout,
}

impl RejectionKind {
    /// How many kinds there are.
    pub(crate) const COUNT: usize = Self::HandlerTimeout as usize + 1;

    /// The name of the kind, as events give it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The status of the response.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.row().1
    }

    /// Name, status and body of the response.
    fn row(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::SignatureMissing => (
                "signature_missing",
                StatusCode::UNAUTHORIZED,
                "The Cronofy-HMAC-SHA256 header is missing or empty: this endpoint accepts only notifications signed by Cronofy.",
            ),
            Self::SignatureMalformed => (
                "signature_malformed",
                StatusCode::UNAUTHORIZED,
                "No value in the Cronofy-HMAC-SHA256 header is the padded Base64 of an HMAC-SHA256.",
            ),
            Self::SignatureMismatch => (
                "signature_mismatch",
                StatusCode::UNAUTHORIZED,
                "No signature in the Cronofy-HMAC-SHA256 header matches this body: check that this endpoint has the application's current client secret, and that no proxy or layer rewrites the body.",
            ),
            Self::BodyTooLarge => (
                "body_too_large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request body is larger than this endpoint accepts.",
            ),
            Self::BodyIncomplete => (
                "body_incomplete",
                StatusCode::BAD_REQUEST,
                "The request body ended early or could not be read.",
            ),
            Self::BodyTimeout => (
                "body_timeout",
                StatusCode::REQUEST_TIMEOUT,
                "The request body was not complete in time.",
            ),
            Self::NotReady => (
                "not_ready",
                StatusCode::SERVICE_UNAVAILABLE,
                "The service was not ready to handle the notification in time; please retry.",
            ),
            Self::HandlerTimeout => (
                "handler_timeout",
                StatusCode::SERVICE_UNAVAILABLE,
                "The notification was not handled in time; please retry.",
            ),
        }
    }
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Rejection {
    pub(crate) fn body_limit(limit: usize) -> Self {
        Reason::BodyLimit { limit }.into()
    }

    pub(crate) fn outer_body_limit(cause: Box<dyn Error + Send + Sync>) -> Self {
        Reason::OuterBodyLimit(cause.into()).into()
    }

    pub(crate) fn body_incomplete(cause: Box<dyn Error + Send + Sync>) -> Self {
        Reason::BodyIncomplete(cause.into()).into()
    }

    pub(crate) fn body_timeout(budget: Duration) -> Self {
        Reason::BodyTimeout { budget }.into()
    }

    pub(crate) fn outer_body_timeout(cause: Box<dyn Error + Send + Sync>) -> Self {
        Reason::OuterBodyTimeout(cause.into()).into()
    }

    pub(crate) fn not_ready(budget: Duration) -> Self {
        Reason::NotReady { budget }.into()
    }

    pub(crate) fn handler_timeout(budget: Duration) -> Self {
        Reason::HandlerTimeout { budget }.into()
    }

    /// The kind of rejection, for a program to match on.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        match self.reason {
            Reason::Signature(SignatureError::Missing) => RejectionKind::SignatureMissing,
            Reason::Signature(SignatureError::Malformed { .. }) => {
                RejectionKind::SignatureMalformed
            }
            Reason::Signature(SignatureError::Mismatch { .. }) => RejectionKind::SignatureMismatch,
            Reason::BodyLimit { .. } | Reason::OuterBodyLimit(_) => RejectionKind::BodyTooLarge,
            Reason::BodyIncomplete(_) => RejectionKind::BodyIncomplete,
            Reason::BodyTimeout { .. } | Reason::OuterBodyTimeout(_) => RejectionKind::BodyTimeout,
            Reason::NotReady { .. } => RejectionKind::NotReady,
            Reason::HandlerTimeout { .. } => RejectionKind::HandlerTimeout,
        }
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind().status()
    }

    /// The body of the response: one sentence that says what to check, and shows nothing of the secret, the signature or
    /// the body.
    #[must_use]
    pub fn body_text(&self) -> &'static str {
        self.kind().row().2
    }

    /// The response for the client: status, text, `WWW-Authenticate` for a 401, and this rejection in its extensions.
    ///
    /// ```
    /// use cronofy_webhook::{Delivery, Verifier};
    /// use bytes::Bytes;
    /// use http::{HeaderMap, Response};
    ///
    /// let verifier = Verifier::new(["CRN_an_example"])?;
    /// let rejection = Delivery::verify(&verifier, &HeaderMap::new(), Bytes::new()).unwrap_err();
    ///
    /// let response: Response<Bytes> = rejection.to_response();
    /// assert_eq!(response.status(), 401);
    /// assert_eq!(response.headers()["www-authenticate"], "Cronofy-HMAC-SHA256");
    /// assert_eq!(response.body(), rejection.body_text());
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

/// A response with one sentence of plain text.
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
            Reason::Signature(_) => f.write_str("the request is not authentic"),
            Reason::BodyLimit { limit } => {
                write!(f, "the request body is over the limit of {limit} bytes")
            }
            Reason::OuterBodyLimit(_) => {
                f.write_str("the request body is over the limit of an outer layer")
            }
            Reason::BodyIncomplete(_) => f.write_str("the request body could not be read"),
            Reason::BodyTimeout { budget } => write!(
                f,
                "the request body was not complete within the budget of {budget:?}"
            ),
            Reason::OuterBodyTimeout(_) => f.write_str(
                "the request body was not complete within the timeout of an outer layer",
            ),
            Reason::NotReady { budget } => write!(
                f,
                "the handler could not be started within the budget of {budget:?}"
            ),
            Reason::HandlerTimeout { budget } => {
                write!(
                    f,
                    "the handler was not done within the budget of {budget:?}"
                )
            }
        }
    }
}

impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            Reason::Signature(error) => Some(error),
            Reason::OuterBodyLimit(cause)
            | Reason::BodyIncomplete(cause)
            | Reason::OuterBodyTimeout(cause) => Some(&**cause),
            _ => None,
        }
    }
}
