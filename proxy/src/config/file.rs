//! What people write: the keys, their defaults and their documentation, which
//! is also the JSON Schema and `docs/CONFIG.md`. Values stand as they were
//! written; whether they make sense is for `check` to say.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod filter;
mod health;
mod identity;
mod pool;
mod shared_limits;
mod units;

pub use filter::{Breaker, Filter};
pub use health::{Health, Scrape};
pub use identity::{Identity, Usage};
pub use pool::{Endpoint, Pool, Queue, Timeouts, WeightedEndpoint};
pub use shared_limits::SharedLimits;
pub use units::{Size, Time};

/// Configuration of Headworks. Times are written like `"10ms"`, `"30s"` or
/// `"1h 30m"`, sizes like `"512KiB"` or `"2MiB"`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["pools"]))]
pub struct Config {
    /// The pool of requests that no filter routed. Where there is one pool
    /// only, it is that one; otherwise such requests are refused.
    pub default_pool: Option<String>,
    /// The listener for clients.
    pub server: Server,
    /// The listener for operators: health, metrics, the live generation.
    pub admin: Admin,
    /// Pools by name: endpoints that serve the same model.
    pub pools: BTreeMap<String, Pool>,
    /// The chain of filters, in the order in which they see a request.
    pub filters: Vec<Filter>,
    /// Where metrics go besides `/metrics` on the admin listener.
    pub metrics: Metrics,
    /// Where exchanges are written down, one by one.
    pub access_log: AccessLog,
    /// Where traces of exchanges go.
    pub traces: Traces,
    /// Who may use the gateway.
    pub identity: Identity,
    /// Where usage is written down.
    pub usage: Usage,
    /// Limits that several gateways share.
    pub shared_limits: SharedLimits,
}

/// The listener for clients.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port, or several. A change needs a restart.
    pub listen: Listen,
    /// Worker threads; 0 for as many as cores. A change needs a restart.
    #[schemars(range(max = 1024))]
    pub threads: usize,
    /// Largest request body; a larger one is answered with 413.
    pub max_body: Size,
    /// How long a client may take to send its head, and between two reads of
    /// its body.
    pub read_timeout: Time,
    /// How long an idle connection is kept open for the next request.
    pub keepalive: Time,
    /// How long running exchanges may take to end after SIGTERM.
    pub drain: Time,
}

/// One address or several.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Listen {
    /// `"0.0.0.0:8000"`
    One(String),
    /// `["127.0.0.1:8000", "10.0.0.5:8000"]`
    Many(Vec<String>),
}

/// The listener for operators.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// Address and port. It asks for no password: beyond loopback, keep it on
    /// a network that only operators and the metrics scraper reach. A change
    /// needs a restart.
    pub listen: String,
}

/// Where metrics go besides `/metrics` on the admin listener.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Host and port of a StatsD daemon, such as `"127.0.0.1:8125"`.
    pub statsd: Option<String>,
    /// Put before each StatsD name, such as `"headworks."`.
    pub statsd_prefix: String,
    /// `"statsd"` has labels in names, `requests.model.qwen2`; `"dogstatsd"` has
    /// them as tags, `requests.model` with `model:qwen2`, as Datadog's agent,
    /// Telegraf and others read them.
    pub statsd_dialect: StatsdDialect,
    /// Tags of every number, such as `{ env = "prod" }`; for `dogstatsd`.
    pub statsd_tags: BTreeMap<String, String>,
    /// Share of timings that StatsD is told, more than 0 and at most 1; each says
    /// how many it stands for. Counts are always whole, and so is `/metrics`.
    #[schemars(range(min = 0, max = 1))]
    pub statsd_sample_rate: f64,
}

/// How StatsD is told of labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StatsdDialect {
    /// In names.
    #[default]
    Statsd,
    /// As tags.
    Dogstatsd,
}

/// Where exchanges are written down, one by one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccessLog {
    /// A file that gets a JSON object a line for each exchange, or `"-"` for
    /// standard output. Prompts and answers are not in it. It is opened anew by
    /// each reload: rename it, then send SIGHUP.
    pub file: Option<String>,
}

/// Where traces of exchanges go: one span for serving it and one for asking an
/// endpoint, with OpenTelemetry's names for generative AI. Prompts and answers are
/// not in them. A client's `traceparent` is honoured, and endpoints get it with our
/// span in it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Traces {
    /// Base URL of an OpenTelemetry collector that takes OTLP over HTTP, such as
    /// `"http://127.0.0.1:4318"`; `/v1/traces` is added.
    pub otlp: Option<String>,
    /// Share of exchanges that are traced where the client has not decided, from 0
    /// to 1. One whose `traceparent` says sampled always is, another never.
    #[schemars(range(min = 0, max = 1))]
    pub sample_rate: f64,
    /// Headers of each request to the collector, such as a token.
    pub headers: BTreeMap<String, String>,
    /// What the gateway is called in traces.
    pub service_name: String,
}

impl Default for Traces {
    fn default() -> Self {
        Self {
            otlp: None,
            sample_rate: 1.0,
            headers: BTreeMap::new(),
            service_name: "headworks".into(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            statsd: None,
            statsd_prefix: String::new(),
            statsd_dialect: StatsdDialect::default(),
            statsd_tags: BTreeMap::new(),
            statsd_sample_rate: 1.0,
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: Listen::One("0.0.0.0:8000".into()),
            threads: 0,
            max_body: "2MiB".into(),
            read_timeout: "30s".into(),
            keepalive: "60s".into(),
            drain: "30s".into(),
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9090".into(),
        }
    }
}
