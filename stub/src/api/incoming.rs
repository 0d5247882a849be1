//! A generating request as it comes in: recorded, judged as JSON, and hit by
//! the faults that come before everything else.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequest, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::app::App;
use super::error::ApiError;
use super::openai::error::OpenAiError;
use crate::faults::Kind;
use crate::options::Dialect;
use crate::socket::Socket;

/// A body and what accompanies it.
pub(super) struct Incoming<T> {
    pub(super) body: T,
    pub(super) context: Context,
}

/// What accompanies a body.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) socket: Socket,
    /// A fault that strikes later than at the door.
    pub(super) fault: Option<Kind>,
    /// Tokens of the prompt and of the answer, where a test forces them.
    pub(super) forced_input: Option<u32>,
    pub(super) forced_output: Option<u32>,
    /// Which of several answers to one request this is; each says something else.
    pub(super) candidate: u64,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Incoming<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        // The size limit travels in the extensions.
        let limited = Request::from_parts(parts.clone(), body);
        let bytes = Bytes::from_request(limited, app)
            .await
            .map_err(IntoResponse::into_response)?;
        app.stats.record(&parts, &bytes);
        let socket = parts
            .extensions
            .remove::<ConnectInfo<Socket>>()
            .map(|ConnectInfo(socket)| socket)
            .ok_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())?;
        let context = Context {
            fault: strike(app, &socket).map_err(IntoResponse::into_response)?,
            socket,
            forced_input: number(&parts.headers, "x-sim-in"),
            forced_output: number(&parts.headers, "x-sim-out"),
            candidate: 0,
        };
        let Json(body) = Json::from_request(Request::from_parts(parts, Body::from(bytes)), app)
            .await
            .map_err(|rejection| match app.options.dialect {
                Dialect::Tgi => rejection.into_response(),
                Dialect::OpenAi => {
                    OpenAiError(ApiError::Body(rejection.body_text())).into_response()
                }
            })?;
        Ok(Self { body, context })
    }
}

/// Draws a fault; of those that strike at the door, the status that answers.
fn strike(app: &App, socket: &Socket) -> Result<Option<Kind>, StatusCode> {
    let fault = app.faults.draw();
    if fault.is_some() {
        app.stats.faulted.add_one();
    }
    match fault {
        Some(Kind::Status { status }) => {
            Err(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        }
        Some(Kind::ResetBefore) => {
            socket.reset();
            // Never written: the reset takes its place.
            Err(StatusCode::INTERNAL_SERVER_ERROR)
        }
        later => Ok(later),
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u32> {
    headers
        .get(name)?
        .to_str()
        .ok()?
        .parse()
        .ok()
        .filter(|number| *number > 0)
}
