//! The listener for operators: whether the gateway lives and serves, what it
//! counts, which configuration is live and a way to reload it, how endpoints
//! are and a way to drain them.

mod endpoints;
pub mod ready;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

use async_trait::async_trait;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode, Uri};
use humantime::format_rfc3339_millis;
use pingora_core::apps::http_app::ServeHttp;
use pingora_core::protocols::http::ServerSession;
use serde_json::{Value, json};

use crate::config::Module;
use crate::filter::Live;
use crate::filter::reload::{Refused, Status, Trigger};
use crate::observe::{CONTENT_TYPE as OPEN_METRICS, Registry};
use crate::wasm::Filter;

/// Answers operators.
pub struct Admin {
    /// What is live.
    pub live: Arc<Live>,
    /// How the last reload went.
    pub status: Arc<Status>,
    /// Reloads.
    pub trigger: Trigger,
    /// What is counted.
    pub registry: Arc<Registry>,
    /// Whether clients are served.
    pub phase: Arc<Phase>,
}

/// Where the process stands between its start and its end.
#[derive(Debug, Default)]
pub struct Phase(AtomicU8);

const STARTING: u8 = 0;
const SERVING: u8 = 1;
const DRAINING: u8 = 2;

impl Phase {
    /// Clients can connect now.
    pub fn serving(&self) {
        // A process that is told to stop while it starts does not begin to serve.
        self.0
            .compare_exchange(STARTING, SERVING, SeqCst, SeqCst)
            .ok();
    }

    /// No new clients are wanted.
    pub fn draining(&self) {
        self.0.store(DRAINING, SeqCst);
    }

    fn page(&self) -> Page {
        match self.0.load(SeqCst) {
            STARTING => Page::text(503, "starting"),
            SERVING => Page::text(200, "serving"),
            _ => Page::text(503, "draining"),
        }
    }
}

/// An answer.
struct Page {
    status: u16,
    kind: &'static str,
    body: String,
    allow: Option<&'static str>,
}

impl Page {
    fn text(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            kind: "text/plain; charset=utf-8",
            body: text.into() + "\n",
            allow: None,
        }
    }

    fn json(status: u16, value: &Value) -> Self {
        Self {
            status,
            kind: "application/json",
            body: format!("{value:#}\n"),
            allow: None,
        }
    }

    fn wrong_method(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::text(405, format!("this page takes {allow} only"))
        }
    }

    fn response(self, method: &Method) -> Response<Vec<u8>> {
        let length = self.body.len();
        let body = if method == Method::HEAD {
            Vec::new()
        } else {
            self.body.into_bytes()
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).expect("pages have known statuses");
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

impl Admin {
    async fn page(&self, method: &Method, uri: &Uri) -> Page {
        let reads = *method == Method::GET || *method == Method::HEAD;
        let query = uri.query().unwrap_or_default();
        match uri.path() {
            "/reload" if *method == Method::POST => self.reload().await,
            "/drain" if *method == Method::POST => self.drain(query, true),
            "/undrain" if *method == Method::POST => self.drain(query, false),
            "/reload" | "/drain" | "/undrain" => Page::wrong_method("POST"),
            "/healthz" | "/readyz" | "/metrics" | "/generation" | "/endpoints" if !reads => {
                Page::wrong_method("GET, HEAD")
            }
            "/healthz" => Page::text(200, "alive"),
            "/readyz" => self.phase.page(),
            "/metrics" => Page {
                kind: OPEN_METRICS,
                body: self.registry.render(),
                ..Page::text(200, "")
            },
            "/generation" => Page::json(200, &self.generation()),
            "/endpoints" => Page::json(200, &self.endpoints()),
            _ => Page::text(
                404,
                "here are /healthz, /readyz, /metrics, /generation, /endpoints, and by POST \
                 /reload, /drain and /undrain",
            ),
        }
    }

    async fn reload(&self) -> Page {
        match self.trigger.reload().await {
            Ok(id) => Page::json(200, &json!({"id": id})),
            Err(reason) => Page::json(422, &json!({"error": reason})),
        }
    }

    fn generation(&self) -> Value {
        let live = self.live.current();
        let report = self.status.report();
        let modules = live.config.filters.iter().map(|filter| &filter.module);
        let filters = live.chain.filters().zip(modules);
        json!({
            "id": live.id,
            "since": format_rfc3339_millis(live.since).to_string(),
            "file": live.config.source.origin,
            "models": live.models,
            "pools": live.pools.names().map(|name| &**name).collect::<Vec<_>>(),
            "filters": filters.map(|(filter, module)| describe(filter, module)).collect::<Vec<_>>(),
            "restart_needed": report.restart_needed,
            "last_error": report.refused.map(|refused| refusal(&refused)),
        })
    }
}

fn describe(filter: &Filter, module: &Module) -> Value {
    let plan = filter.plan();
    let hooks = [
        ("on-request", plan.on_request),
        ("place", plan.place),
        ("on-complete", plan.on_complete),
    ];
    let hooks = hooks.iter().filter(|(_, used)| *used).map(|(name, _)| name);
    json!({
        "name": &**filter.name(),
        "module": module.to_string(),
        "digest": &**filter.digest(),
        "hooks": hooks.collect::<Vec<_>>(),
    })
}

fn refusal(refused: &Refused) -> Value {
    json!({
        "at": format_rfc3339_millis(refused.at).to_string(),
        "message": refused.reason,
    })
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let head = session.req_header();
        let (method, uri) = (head.method.clone(), head.uri.clone());
        self.page(&method, &uri).await.response(&method)
    }
}
