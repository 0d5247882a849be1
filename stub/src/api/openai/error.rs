//! Refusals and failures in vLLM's form.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::error::ApiError;

/// An error that is told as vLLM tells it.
pub(in crate::api) struct OpenAiError(pub(in crate::api) ApiError);

impl From<ApiError> for OpenAiError {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for OpenAiError {
    fn into_response(self) -> Response {
        (status(&self.0), Json(body(&self.0))).into_response()
    }
}

/// Refuses in vLLM's way, naming the parameter where it does.
pub(super) fn refuse(
    wrong: bool,
    param: Option<&'static str>,
    message: impl FnOnce() -> String,
) -> Result<(), ApiError> {
    if wrong {
        let message = message();
        Err(ApiError::BadRequest { message, param })
    } else {
        Ok(())
    }
}

/// The nested form, in bodies and in events.
pub(super) fn body(error: &ApiError) -> Value {
    let param = match error {
        ApiError::NoModel(_) => Some("model"),
        ApiError::BadRequest { param, .. } => *param,
        _ => None,
    };
    json!({ "error": {
        "message": error.to_string(),
        "type": kind(error),
        "param": param,
        "code": status(error).as_u16(),
    }})
}

fn status(error: &ApiError) -> StatusCode {
    match error {
        ApiError::Generation(_) => StatusCode::INTERNAL_SERVER_ERROR,
        other => other.status(),
    }
}

fn kind(error: &ApiError) -> &'static str {
    match error {
        ApiError::NoModel(_) => "NotFoundError",
        ApiError::Body(_) => "Bad Request",
        ApiError::Overloaded => "Too Many Requests",
        ApiError::Generation(_) => "InternalServerError",
        _ => "BadRequestError",
    }
}
