//! Refusals and failures, worded and shaped as the original does.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use thiserror::Error;

/// What a request got instead of an answer. It is told in TGI's form here, and in
/// vLLM's by `openai::error`; some variants exist in one of them only.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    #[error("Input validation error: {0}")]
    Validation(String),
    #[error("Model is overloaded")]
    Overloaded,
    #[error("Request failed during generation: {0}")]
    Generation(&'static str),
    #[error("Suffix is not supported and can be achieved by preprocessing the prompt.")]
    Suffix,
    #[error("Number of prompts exceeds the maximum allowed batch size of {0}")]
    BatchSize(usize),
    #[error("The model `{0}` does not exist.")]
    NoModel(String),
    #[error("{0}")]
    Body(String),
    #[error("{message}")]
    BadRequest {
        message: String,
        param: Option<&'static str>,
    },
    #[error("unhealthy")]
    Unhealthy,
}

impl ApiError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Validation(_) | Self::Suffix | Self::BatchSize(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::NoModel(_) => StatusCode::NOT_FOUND,
            Self::Body(_) | Self::BadRequest { .. } => StatusCode::BAD_REQUEST,
            Self::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            Self::Generation(_) => StatusCode::FAILED_DEPENDENCY,
            Self::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(super) fn error_type(&self) -> &'static str {
        match self {
            Self::Validation(_) | Self::NoModel(_) | Self::Body(_) | Self::BadRequest { .. } => {
                "validation"
            }
            Self::Overloaded => "overloaded",
            Self::Generation(_) => "generation",
            Self::Suffix => "suffix not supported",
            Self::BatchSize(_) => "batch size exceeded",
            Self::Unhealthy => "healthcheck",
        }
    }

    /// The label under which `tgi_request_failure` counts it.
    pub(super) fn metric_label(&self) -> &'static str {
        match self {
            Self::Overloaded => "err=\"overloaded\"",
            Self::Generation(_) => "err=\"generation\"",
            _ => "err=\"validation\"",
        }
    }

    /// The flat form, in bodies and in most events.
    pub(super) fn body(&self) -> serde_json::Value {
        json!({ "error": self.to_string(), "error_type": self.error_type() })
    }

    /// The form of the chat stream, which calls everything a 422.
    pub(super) fn chat_event(&self) -> serde_json::Value {
        json!({ "error": { "message": self.to_string(), "http_status_code": 422 } })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status(), Json(self.body())).into_response()
    }
}
