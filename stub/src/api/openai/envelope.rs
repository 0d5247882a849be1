//! What an answer and each of its chunks begin with.

use serde::Serialize;

use super::super::fields::unix_seconds;
use super::route::Route;

/// What an answer and each of its chunks begin with.
#[derive(Serialize)]
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) object: &'static str,
    pub(super) created: u64,
    pub(super) model: String,
}

impl Envelope {
    pub(super) fn new(route: Route, model: &str) -> Self {
        let prefix = match route {
            Route::Chat => "chatcmpl",
            Route::Completions => "cmpl",
        };
        Self {
            id: format!("{prefix}-{:032x}", rand::random::<u128>()),
            object: route.chunk_object(),
            created: unix_seconds(),
            model: model.to_owned(),
        }
    }
}
