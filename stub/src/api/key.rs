//! The API key that a server may want.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::app::App;
use crate::options::Dialect;

/// Lets through who has the key, where there is one.
pub(super) async fn ask_for_key(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(key) = &app.options.api_key else {
        return next.run(request).await;
    };
    let given = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    // The original compares the whole value, ignoring case.
    if given.is_some_and(|given| given.eq_ignore_ascii_case(&format!("Bearer {key}"))) {
        return next.run(request).await;
    }
    match app.options.dialect {
        Dialect::Tgi => StatusCode::UNAUTHORIZED.into_response(),
        Dialect::OpenAi => {
            let body = Json(serde_json::json!({ "error": "Unauthorized" }));
            (StatusCode::UNAUTHORIZED, body).into_response()
        }
    }
}
