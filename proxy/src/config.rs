//! What the gateway runs by. A `Config` is valid by construction: it is made
//! by `check` from what people write (`file::Config`), which finds every
//! problem at once. Settings of filters are opaque here; each filter judges
//! its own when it is loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::identity;
use crate::tokenizer::Tokenizer;

mod check;
pub mod file;
pub mod markdown;
mod problems;
pub mod schema;
mod source;
mod suggest;
pub mod watch;

pub use file::StatsdDialect;
pub use problems::{Problem, Problems};
pub use source::{Place, Source};
pub use suggest::{did_you_mean, suggest};
pub use watch::Watch;

/// The filters embedded in the binary, as `builtin:` names them.
pub const BUILTINS: [&str; 4] = ["model-router", "token-limits", "load-shaper", "telemetry"];

/// Everything that one configuration file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The listener for clients.
    pub server: Server,
    /// The listener for operators.
    pub admin: Admin,
    /// Pools by name.
    pub pools: BTreeMap<Arc<str>, Pool>,
    /// Where a request goes that no filter routed. The only pool, if there is one.
    pub default_pool: Option<Arc<str>>,
    /// The chain, in order.
    pub filters: Vec<Filter>,
    /// Where metrics go besides `/metrics`.
    pub metrics: Metrics,
    /// Where exchanges are written down, if they are.
    pub access_log: Option<AccessLog>,
    /// Where traces of exchanges go, if they do.
    pub traces: Option<Traces>,
    /// Who may use the gateway; everybody where there is none.
    pub identity: Option<Identity>,
    /// Where usage is written down. Needs a restart to change.
    pub usage_file: Option<PathBuf>,
    /// How limits are shared with other gateways, if they are. Needs a restart to
    /// change.
    pub shared_limits: Option<SharedLimits>,
    /// The file, for problems that are found later: `Problems::of(config.source.clone())`.
    pub source: Source,
}

impl Config {
    /// Reads and checks a file, finding every problem at once.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let mut problems = Problems::new(path);
            problems.push("", format!("cannot be read: {error}"));
            problems
        })?;
        Self::parse(&text, path)
    }

    /// Checks the text of a file. Paths in it are relative to the folder of
    /// `origin`, which also names the file in problems.
    pub fn parse(text: &str, origin: &Path) -> Result<Self, Problems> {
        check::parse(text, origin)
    }

    /// The files of filters and keys, to be watched.
    pub fn other_files(&self) -> impl Iterator<Item = &Path> {
        let modules = self
            .filters
            .iter()
            .filter_map(|filter| match &filter.module {
                Module::File(path) => Some(path.as_path()),
                Module::Builtin(_) => None,
            });
        let identity = self.identity.as_ref();
        modules.chain(identity.and_then(|it| it.keys_file.as_deref()))
    }
}

/// The listener for clients and its bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Addresses to listen on. Needs a restart to change.
    pub listen: Vec<SocketAddr>,
    /// Worker threads; as many as cores by default. Needs a restart to change.
    pub threads: usize,
    /// Largest request body, bytes; a larger one is answered with 413.
    pub max_body: usize,
    /// How long a client may take to send its head, and between two reads of its body.
    pub read_timeout: Duration,
    /// How long an idle keep-alive connection is kept.
    pub keepalive: Duration,
    /// How long running exchanges may take to end after SIGTERM.
    pub drain: Duration,
}

/// Where exchanges are written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLog {
    /// Standard output.
    Stdout,
    /// A file, written on where it ends.
    File(PathBuf),
}

/// Where traces of exchanges go.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// URL that takes OTLP over HTTP, with its path.
    pub otlp: String,
    /// Share that is traced of exchanges whose client has not decided, 0 to 1.
    pub sample_rate: f64,
    /// Headers of each request to the collector.
    pub headers: BTreeMap<String, String>,
    /// What the gateway is called.
    pub service_name: String,
}

/// Who may use the gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The keys, and who is who without one.
    pub known: Arc<identity::Identity>,
    /// The file of keys, to be watched.
    pub keys_file: Option<PathBuf>,
}

/// Limits that several gateways share by a Redis.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedLimits {
    /// Its URL. There may be a password in it.
    pub redis: String,
    /// The beginning of all keys in it.
    pub prefix: String,
    /// How long a request waits for it at most.
    pub max_wait: Duration,
    /// What happens while it is gone.
    pub without_redis: WithoutRedis,
}

/// What happens while the Redis of shared limits is gone.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum WithoutRedis {
    /// Each gateway goes on with its part of each budget.
    Local,
    /// Requests that have budgets are refused.
    Refuse,
}

/// The listener for operators.
#[derive(Debug, Clone, PartialEq)]
pub struct Admin {
    /// Loopback by default. Needs a restart to change.
    pub listen: SocketAddr,
}

/// Endpoints that serve the same model with the same protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// The dialect the endpoints speak.
    pub protocol: Protocol,
    /// The model name to ask the upstream for where its API has one.
    pub model: Option<String>,
    /// Counts prompts.
    pub tokenizer: Option<Tokenizer>,
    /// At least one.
    pub endpoints: Vec<Endpoint>,
    /// Parameters that may be left out where the endpoints have no counterpart.
    pub drop_parameters: Vec<String>,
    /// Requests of a hundred that may be sent to a second endpoint; 100 at most.
    pub retry_percent: u32,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// Bounds of waiting in the gateway.
    pub queue: Queue,
    /// How it is known which endpoints can be used.
    pub health: Health,
}

/// A dialect of upstream servers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Hugging Face text-generation-inference: its own routes and OpenAI's.
    Tgi,
    /// OpenAI's routes only: vLLM, SGLang, llama.cpp and others.
    OpenAi,
}

impl Protocol {
    /// As the configuration has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tgi => "tgi",
            Self::OpenAi => "openai",
        }
    }
}

/// One upstream server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// `http` or `https`.
    pub tls: bool,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Path prefix without trailing slash, usually empty.
    pub prefix: String,
    /// Relative weight, 1 or more.
    pub weight: u32,
}

/// How long to wait for an upstream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timeouts {
    /// To connect.
    pub connect: Duration,
    /// From the request sent to the first token of a stream.
    pub first_token: Duration,
    /// From the request sent to the head of a whole answer.
    pub head: Duration,
    /// Between two reads of the answer.
    pub idle: Duration,
    /// From the request's arrival to the answer's end.
    pub total: Duration,
}

/// Bounds of waiting in the gateway, for filters that answer `wait`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Queue {
    /// Most requests that wait at once; one more is refused with 503.
    pub depth: usize,
    /// Longest wait; then 503.
    pub max_wait: Duration,
}

/// How it is known which endpoints of a pool can be used, and how busy they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// What an endpoint is asked for; 200 is healthy.
    pub path: String,
    /// Time between two checks; `None` for no checks.
    pub interval: Option<Duration>,
    /// How long an endpoint may take to answer a check or a scrape.
    pub timeout: Duration,
    /// Failed checks in a row that take an endpoint out.
    pub unhealthy_after: u32,
    /// Passed checks in a row that bring it back.
    pub healthy_after: u32,
    /// The page of its metrics; `None` for no scraping.
    pub scrape: Option<String>,
    /// Time between two scrapes.
    pub scrape_interval: Duration,
    /// How long a new endpoint, or one that is back, takes to get its full
    /// share; zero for at once.
    pub slow_start: Duration,
    /// Exchanges failed in a row that eject an endpoint; 0 for never.
    pub eject_after: u32,
}

/// One filter of the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// Unique in the chain.
    pub name: Arc<str>,
    /// What to run.
    pub module: Module,
    /// What the filter is configured with, as JSON.
    pub settings: serde_json::Value,
    /// What happens to an exchange whose filter failed.
    pub on_error: OnError,
    /// CPU time for one hook.
    pub deadline: Duration,
    /// Linear memory of one instance, bytes.
    pub max_memory: usize,
    /// What the filter may do beyond the world `filter`.
    pub grants: BTreeSet<Grant>,
    /// When repeated failures take the filter out.
    pub breaker: Breaker,
}

/// Where a filter's code comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    /// Embedded in the binary: `builtin:model-router`.
    Builtin(String),
    /// A file; watched. The configuration file's folder is already part of it.
    File(PathBuf),
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => write!(f, "builtin:{name}"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// What happens to an exchange whose filter failed.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    serde::Deserialize,
    serde::Serialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// It is refused with 500.
    #[default]
    FailClosed,
    /// It goes on as if the filter had said `next`.
    FailOpen,
}

/// A power beyond the world `filter`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Deserialize,
    serde::Serialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Reading prompt content.
    Content,
}

/// When repeated failures take a filter out: its `on_error` then applies
/// without a call, until a trial call succeeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breaker {
    /// Failures within `window` that open it.
    pub failures: u32,
    /// The window.
    pub window: Duration,
    /// How long it stays open before one call is tried.
    pub cooldown: Duration,
}

/// Where metrics go besides `/metrics` on the admin listener.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// Host and port of a StatsD daemon.
    pub statsd: Option<String>,
    /// Put before each StatsD name, such as `headworks.`; empty by default.
    pub statsd_prefix: String,
    /// How StatsD is told of labels.
    pub statsd_dialect: StatsdDialect,
    /// Tags of every number.
    pub statsd_tags: BTreeMap<String, String>,
    /// Share of timings that StatsD is told, above 0 and at most 1.
    pub statsd_sample_rate: f64,
}
