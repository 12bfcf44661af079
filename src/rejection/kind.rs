use std::fmt;

use http::StatusCode;

/// The kinds of [`Rejection`](super::Rejection).
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
    /// The body ended early or could not be read, or an outer layer's time limit for it passed. Status 400.
    BodyIncomplete,
    /// The body was not received within the deadline. Status 408.
    BodyTimeout,
    /// The delivery is authentic, but was made for another URL: its `callback_url` is not that of the request. Only with
    /// [`public_url`](crate::CronofyWebhookLayer::public_url). Status 403.
    CallbackUrlMismatch,
    /// The deadline passed before the handler could be started: the inner service was not ready, or the body came late.
    /// Status 503.
    NotReady,
    /// The handler was not done within the deadline. Status 503.
    HandlerTimeout,
}

impl RejectionKind {
    /// The name of the kind: the `reason` in events and metrics. It does not change in a compatible release.
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
    pub(super) fn row(self) -> (&'static str, StatusCode, &'static str) {
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
                "The request body was not received in time.",
            ),
            Self::CallbackUrlMismatch => (
                "callback_url_mismatch",
                StatusCode::FORBIDDEN,
                "The callback_url in the notification is not the URL of this request: check the public URL that this endpoint is configured with.",
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
