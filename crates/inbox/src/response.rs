use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;

use crate::error::PutError;

/// In seconds.
const RETRY_IN: &str = "10";

/// 503 with `Retry-After`.
impl IntoResponse for PutError {
    fn into_response(self) -> Response {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            [(RETRY_AFTER, RETRY_IN)],
            "The notification could not be stored; please retry.",
        )
            .into_response()
    }
}
