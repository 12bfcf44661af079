//! [`Notification`] and [`Delivery`] as axum extractors.

use std::convert::Infallible;
use std::fmt;

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::delivery::Delivery;
use crate::notification::Notification;
use crate::rejection::{self, Rejection};

/// Extracts the delivery that the middleware verified. Without the middleware the response is 500; see [`MissingDelivery`].
///
/// `Option<Delivery>` is `None` then, for handlers that serve other requests as well.
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<S: Send + Sync> FromRequestParts<S> for Delivery {
    type Rejection = MissingDelivery;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingDelivery> {
        verified(parts).cloned().ok_or(MissingDelivery)
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<S: Send + Sync> OptionalFromRequestParts<S> for Delivery {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(verified(parts).cloned())
    }
}

/// Extracts the notification that the middleware verified. Without the middleware the response is 500; see
/// [`MissingDelivery`].
///
/// `Option<Notification>` is `None` then, for handlers that serve other requests as well.
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<S: Send + Sync> FromRequestParts<S> for Notification {
    type Rejection = MissingDelivery;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingDelivery> {
        let delivery = verified(parts).ok_or(MissingDelivery)?;
        Ok(delivery.notification().clone())
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<S: Send + Sync> OptionalFromRequestParts<S> for Notification {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(verified(parts).map(|delivery| delivery.notification().clone()))
    }
}

fn verified(parts: &Parts) -> Option<&Delivery> {
    parts.extensions.get()
}

/// Rejection of an extractor of this crate in a handler that is not behind the middleware.
///
/// The response is 500 with a text that says so. It is a mistake in the program, not in the request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MissingDelivery;

impl MissingDelivery {
    /// The status of the response: 500.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    /// The text of the response.
    #[must_use]
    pub fn body_text(&self) -> &'static str {
        "This handler extracts a Cronofy notification, but its route has no CronofyWebhookLayer: use `post(handler).layer(CronofyWebhookLayer::new(client_secret))`."
    }
}

impl fmt::Display for MissingDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handler is not behind a CronofyWebhookLayer")
    }
}

impl std::error::Error for MissingDelivery {}

impl IntoResponse for MissingDelivery {
    fn into_response(self) -> Response {
        rejection::text(self.status(), self.body_text())
    }
}

/// For handlers that call [`Delivery::verify`] themselves.
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.to_response::<Body>()
    }
}
