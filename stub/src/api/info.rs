//! What the server says about itself. None of it asks for a key.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::app::{App, TGI_VERSION};
use super::error::ApiError;
use crate::faults::Kind;
use crate::metrics::Naming;

pub(super) async fn info(State(app): State<Arc<App>>) -> Json<Value> {
    let limits = &app.options.limits;
    Json(json!({
        "model_id": app.options.model_id,
        "model_sha": null,
        "model_pipeline_tag": null,
        "max_concurrent_requests": limits.max_concurrent_requests,
        "max_best_of": limits.max_best_of,
        "max_stop_sequences": limits.max_stop_sequences,
        "max_input_tokens": limits.max_input_tokens,
        "max_total_tokens": limits.max_total_tokens,
        "validation_workers": 2,
        "max_client_batch_size": limits.max_client_batch_size,
        "router": "text-generation-router",
        "version": TGI_VERSION,
        "sha": null,
        "docker_label": null,
    }))
}

pub(super) async fn models(State(app): State<Arc<App>>) -> Json<Value> {
    let id = &app.options.model_id;
    Json(json!({
        "object": "list",
        "data": [{ "id": id, "object": "model", "created": 0, "owned_by": id }],
    }))
}

/// As the original, it hangs while the shard does, and knows nothing of the load.
pub(super) async fn health(State(app): State<Arc<App>>) -> Result<(), ApiError> {
    app.faults.stall_over().await;
    if app.fault_acts(Kind::Unhealthy) {
        Err(ApiError::Unhealthy)
    } else {
        Ok(())
    }
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let page = app.frozen_or(|| app.metrics_page());
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], page).into_response()
}

impl App {
    /// The page that was last shown while a fault freezes it, else a new one.
    pub(super) fn frozen_or(&self, page: impl FnOnce() -> String) -> String {
        let mut frozen = self.frozen_metrics.lock();
        let frozen_page = frozen
            .take()
            .filter(|_| self.fault_acts(Kind::FreezeMetrics));
        frozen.insert(frozen_page.unwrap_or_else(page)).clone()
    }

    fn metrics_page(&self) -> String {
        if self.metrics.is_empty() {
            return String::new();
        }
        let occupancy = self.engine.occupancy();
        let room = self.options.profile.timing().max_batch_total_tokens;
        let gauges = [
            (
                "tgi_batch_current_max_tokens",
                f64::from(occupancy.reserved),
            ),
            ("tgi_batch_current_size", occupancy.running as f64),
            ("tgi_batch_max_total_tokens", f64::from(room)),
            ("tgi_queue_size", occupancy.queued as f64),
        ];
        self.metrics.render(&gauges, &Naming::plain())
    }
}
