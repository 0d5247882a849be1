//! The stub's own routes: faults in, counters out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::app::App;
use crate::faults::{Fault, OneOrMany};
use crate::stats::Snapshot;

pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Vec<Fault>> {
    Json(app.faults.list())
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    Json(faults): Json<OneOrMany>,
) -> Json<Vec<Fault>> {
    app.inject(faults);
    Json(app.faults.list())
}

pub(super) async fn clear(State(app): State<Arc<App>>) -> StatusCode {
    app.clear_faults();
    StatusCode::NO_CONTENT
}

pub(super) async fn stats(State(app): State<Arc<App>>) -> Json<Snapshot> {
    Json(app.snapshot())
}
