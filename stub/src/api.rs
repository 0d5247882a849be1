//! The HTTP side: TGI's routes with the OpenAI routes that TGI has, or those of
//! vLLM; and the stub's own `/_fault` and `/_stats`.

mod app;
mod chat;
mod completions;
mod control;
mod error;
mod events;
mod fields;
mod generation;
mod incoming;
mod info;
mod key;
mod openai;
mod parameters;
mod prompts;
mod tgi;
mod whole;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::routing::{get, post};
use tower_http::cors::{Any, CorsLayer};

pub(crate) use app::App;

use crate::options::Dialect;

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let routes = match app.options.dialect {
        Dialect::Tgi => tgi_routes(&app),
        Dialect::OpenAi => openai::routes(&app),
    };
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([CONTENT_TYPE]);
    routes
        .route(
            "/_fault",
            get(control::list).post(control::add).delete(control::clear),
        )
        .route("/_stats", get(control::stats))
        .layer(DefaultBodyLimit::max(app.options.limits.payload_limit))
        .layer(cors)
        .with_state(app)
}

fn tgi_routes(app: &Arc<App>) -> Router<Arc<App>> {
    let guarded = Router::new()
        .route("/", post(tgi::compat_generate))
        .route("/generate", post(tgi::generate))
        .route("/generate_stream", post(tgi::generate_stream))
        .route("/invocations", post(tgi::invocations))
        .route("/tokenize", post(tgi::tokenize))
        .route("/v1/chat/completions", post(chat::completions))
        .route("/v1/completions", post(completions::completions))
        .route_layer(middleware::from_fn_with_state(
            app.clone(),
            key::ask_for_key,
        ));
    let open = Router::new()
        .route("/", get(info::health))
        .route("/health", get(info::health))
        .route("/ping", get(info::health))
        .route("/info", get(info::info))
        .route("/metrics", get(info::metrics))
        .route("/v1/models", get(info::models))
        .route("/chat_tokenize", post(chat::tokenize));
    guarded.merge(open)
}
