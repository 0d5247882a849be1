//! The HTTP side: TGI's routes with the OpenAI routes that TGI has, or those of
//! vLLM; and the stub's own `/_fault` and `/_stats`.

mod chat;
mod completions;
mod control;
mod error;
mod events;
mod generation;
mod incoming;
mod info;
mod openai;
mod parameters;
mod tgi;
mod whole;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tower_http::cors::{Any, CorsLayer};

use crate::engine::Engine;
use crate::faults::{Fault, Faults, Kind};
use crate::group::Group;
use crate::metrics::Metrics;
use crate::options::{Dialect, Options, StartError};
use crate::profile::Profile;
use crate::script::ModelName;
use crate::stats::{Snapshot, Stats};

/// The release whose protocol the stub speaks.
const TGI_VERSION: &str = "3.3.7";
const FINGERPRINT: &str = "3.3.7-native";
const COMPUTE_TYPE: &str = "gpu+optimized";

/// What all requests share.
pub(crate) struct App {
    pub(crate) engine: Arc<Engine>,
    options: Options,
    name: Arc<ModelName>,
    faults: Arc<Faults>,
    metrics: Arc<Metrics>,
    frozen_metrics: Mutex<Option<String>>,
    slots: Arc<Semaphore>,
    /// How many slots there are.
    room: usize,
    stats: Stats,
}

impl App {
    pub(crate) fn new(options: Options) -> Result<Arc<Self>, StartError> {
        let faults = Arc::new(Faults::new(options.seed));
        faults.add(options.faults.iter().cloned());
        let metrics = Arc::new(Metrics::default());
        let room = match options.dialect {
            Dialect::Tgi => options.limits.max_concurrent_requests,
            Dialect::OpenAi => Semaphore::MAX_PERMITS,
        };
        let engine = Engine::new(
            options.profile.timing(),
            options.speed,
            join_group(&options)?,
            faults.clone(),
            metrics.clone(),
        );
        Ok(Arc::new(Self {
            engine,
            name: Arc::new(ModelName::new(&options.model_id)),
            faults,
            metrics,
            frozen_metrics: Mutex::new(None),
            slots: Arc::new(Semaphore::new(room)),
            room,
            stats: Stats::default(),
            options,
        }))
    }

    pub(crate) fn inject(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.add(faults);
        self.engine.faults_changed();
    }

    pub(crate) fn clear_faults(&self) {
        self.faults.clear();
        self.engine.faults_changed();
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let occupancy = self.engine.occupancy();
        Snapshot {
            seen: self.stats.seen.get(),
            finished: self.stats.finished.get(),
            refused: self.stats.refused.get(),
            faulted: self.stats.faulted.get(),
            cancelled: occupancy.cancelled,
            open: self.room - self.slots.available_permits(),
            queued: occupancy.queued,
            running: occupancy.running,
            tokens: self.engine.tokens(),
            told_prompts: self.stats.told_prompts.get(),
            cached_tokens: occupancy.cached,
            told_tokens: self.stats.told_tokens.get(),
            lateness: self.engine.lateness(),
            last: self.stats.last(),
        }
    }

    fn fault_acts(&self, kind: Kind) -> bool {
        self.faults.acts(kind, Instant::now())
    }
}

fn join_group(options: &Options) -> Result<Option<Group>, StartError> {
    if options.profile != Profile::SharedGpu {
        return Ok(None);
    }
    let joined = Group::join(&options.group).map(Some);
    joined.map_err(|error| StartError::Group(options.group.clone(), error))
}

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
        .route_layer(middleware::from_fn_with_state(app.clone(), ask_for_key));
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

async fn ask_for_key(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
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
