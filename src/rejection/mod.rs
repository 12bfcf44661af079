mod kind;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

pub use self::kind::RejectionKind;
use crate::callback_url::CallbackUrlMismatch;
use crate::signature::SignatureError;

/// Why the middleware responded in place of the handler, or before the handler was done.
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
    CallbackUrl(CallbackUrlMismatch),
    NotReady { budget: Duration },
    HandlerTimeout { budget: Duration },
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

    pub(crate) fn callback_url(mismatch: CallbackUrlMismatch) -> Self {
        Reason::CallbackUrl(mismatch).into()
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
            Reason::BodyTimeout { .. } => RejectionKind::BodyTimeout,
            Reason::CallbackUrl(_) => RejectionKind::CallbackUrlMismatch,
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
                write!(f, "the request body exceeds the limit of {limit} bytes")
            }
            Reason::OuterBodyLimit(_) => {
                f.write_str("the request body exceeds the limit of an outer layer")
            }
            Reason::BodyIncomplete(_) => f.write_str("the request body could not be read"),
            Reason::BodyTimeout { budget } => write!(
                f,
                "the request body was not received within the budget of {budget:?}"
            ),
            Reason::CallbackUrl(_) => f.write_str("the notification is for another URL"),
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
            Reason::CallbackUrl(mismatch) => Some(mismatch),
            Reason::OuterBodyLimit(cause) | Reason::BodyIncomplete(cause) => Some(&**cause),
            _ => None,
        }
    }
}
