//! What the server says about itself, and what it says where there is nothing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::fields::unix_seconds;
use super::super::info::health as tgi_health;
use super::super::prompts::{Message, prompt_of};
use super::VLLM_VERSION;
use crate::metrics::Naming;
use crate::tokens;

pub(super) async fn models(State(app): State<Arc<App>>) -> Json<Value> {
    let id = &app.options.model_id;
    Json(json!({
        "object": "list",
        "data": [{
            "id": id,
            "object": "model",
            "created": unix_seconds(),
            "owned_by": "vllm",
            "root": id,
            "parent": null,
            "max_model_len": app.options.limits.max_total_tokens,
            "permission": [],
        }],
    }))
}

pub(super) async fn version() -> Json<Value> {
    Json(json!({ "version": VLLM_VERSION }))
}

/// As TGI's, without a body.
pub(super) async fn health(state: State<Arc<App>>) -> StatusCode {
    match tgi_health(state).await {
        Ok(()) => StatusCode::OK,
        Err(error) => error.status(),
    }
}

/// A text or a conversation to be counted.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Counted {
    Prompt { prompt: String },
    Chat { messages: Vec<Message> },
}

pub(super) async fn tokenize(
    State(app): State<Arc<App>>,
    Json(counted): Json<Counted>,
) -> Json<Value> {
    let text = match counted {
        Counted::Prompt { prompt } => prompt,
        Counted::Chat { messages } => prompt_of(&messages),
    };
    let ids: Vec<_> = tokens::split(&text).map(|token| token.id).collect();
    Json(json!({
        "count": ids.len(),
        "max_model_len": app.options.limits.max_total_tokens,
        "tokens": ids,
        "token_strs": null,
    }))
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let page = app.frozen_or(|| page(&app));
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        page,
    )
        .into_response()
}

fn page(app: &App) -> String {
    let occupancy = app.engine.occupancy();
    let room = app.options.profile.timing().max_batch_total_tokens;
    let gauges = [
        ("vllm:num_requests_running", occupancy.running as f64),
        ("vllm:num_requests_waiting", occupancy.queued as f64),
        (
            "vllm:kv_cache_usage_perc",
            f64::from(occupancy.reserved) / f64::from(room),
        ),
    ];
    let model = Value::from(app.options.model_id.as_str());
    let naming = Naming {
        rename,
        label: format!("model_name={model},engine=\"0\""),
    };
    app.metrics.render(&gauges, &naming)
}

/// vLLM's name for what TGI counts under another.
fn rename(tgi: &'static str) -> Option<&'static str> {
    Some(match tgi {
        "tgi_request_success" => "vllm:request_success_total",
        "tgi_request_duration" => "vllm:e2e_request_latency_seconds",
        "tgi_request_queue_duration" => "vllm:request_queue_time_seconds",
        "tgi_request_inference_duration" => "vllm:request_inference_time_seconds",
        "tgi_request_mean_time_per_token_duration" => "vllm:time_per_output_token_seconds",
        "tgi_request_input_length" => "vllm:request_prompt_tokens",
        "tgi_request_generated_tokens" => "vllm:request_generation_tokens",
        "tgi_request_max_new_tokens" => "vllm:request_params_max_tokens",
        _ => return None,
    })
}

pub(super) async fn not_found() -> Response {
    detail(StatusCode::NOT_FOUND)
}

pub(super) async fn wrong_method() -> Response {
    detail(StatusCode::METHOD_NOT_ALLOWED)
}

/// What the framework says for itself.
fn detail(status: StatusCode) -> Response {
    let body = Json(json!({ "detail": status.canonical_reason() }));
    (status, body).into_response()
}
