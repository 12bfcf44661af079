use std::fmt;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// Why a call is not carried out. The page shows the text.
pub(super) struct Refusal {
    status: StatusCode,
    error: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error: impl fmt::Display) -> Self {
        Self {
            status,
            error: error.to_string(),
        }
    }

    pub(super) fn forbidden(error: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, error)
    }

    pub(super) fn conflict(error: impl fmt::Display) -> Self {
        Self::new(StatusCode::CONFLICT, error)
    }

    pub(super) fn unprocessable(error: impl fmt::Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error)
    }

    /// Only so many are kept.
    pub(super) fn gone() -> Self {
        Self::new(StatusCode::NOT_FOUND, "it is no longer in memory")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(serde_json::json!({ "error": self.error }));
        (self.status, body).into_response()
    }
}
