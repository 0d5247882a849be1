//! A host for filters without a gateway around it, guests to load into it, and
//! exchanges to send through them.

#![allow(dead_code, reason = "the tests and the bench use a part each")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use headworks::api::{Api, Call};
use headworks::config::{Breaker, Config, Filter as FilterConfig, Module, OnError};
use headworks::exchange::Exchange;
use headworks::filter::{Candidate, Chain, Generation, Health, Link, builtin};
use headworks::observe::Registry;
use headworks::upstream::Pools;
use headworks::wasm::{Filter, LoadError, Options, Runtime, Source};
use pingora_http::RequestHeader;

/// Two pools, `big` and `small`.
const CONFIG: &str = r#"
[pools.big]
protocol = "openai"
endpoints = ["http://127.0.0.1:1"]

[pools.small]
protocol = "openai"
endpoints = ["http://127.0.0.1:2"]
"#;

/// A chat for a client of the gold tier.
const BODY: &str = r#"{"model":"llama3","messages":[{"role":"user","content":"What is a headworks?"}],"max_tokens":64,"temperature":0.5}"#;

/// What runs filters, and what it needs around it.
pub(crate) struct Host {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) config: Config,
    pub(crate) pools: Arc<Pools>,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let registry = Arc::new(Registry::new());
        let runtime = Runtime::new(options, Arc::clone(&registry)).expect("wasmtime works here");
        let config = Config::parse(CONFIG, "test.toml".as_ref()).expect("it is valid");
        let pools = Arc::new(Pools::new(&config, None));
        Self {
            runtime,
            registry,
            config,
            pools,
        }
    }

    /// Loads bytes as the filter at a place of a chain.
    pub(crate) fn load_bytes(
        &self,
        config: &FilterConfig,
        place: usize,
        bytes: &[u8],
    ) -> Result<Filter, LoadError> {
        self.runtime.load(Source {
            config,
            place,
            origin: "filters/test.wasm",
            bytes,
            pools: &self.pools,
        })
    }

    /// Loads a guest as the only filter.
    pub(crate) fn load(&self, guest: &str) -> Result<Filter, LoadError> {
        self.load_bytes(&filter(guest), 0, &guest_bytes(guest))
    }

    /// A chain of guests and built-in filters.
    pub(crate) fn chain(&self, filters: &[FilterConfig]) -> Chain {
        let link = |(place, config): (usize, &FilterConfig)| {
            let Module::Builtin(guest) = &config.module else {
                panic!("guests go by name")
            };
            let bytes = builtin::module(guest).map_or_else(|| guest_bytes(guest), Into::into);
            let filter = self
                .load_bytes(config, place, &bytes)
                .unwrap_or_else(|error| panic!("{error}"));
            Link::new(filter, config, &self.registry).expect("its metrics are free")
        };
        Chain::new(filters.iter().enumerate().map(link).collect())
    }

    /// A request that no filter has seen.
    pub(crate) fn exchange(&self) -> Box<Exchange> {
        let generation = Generation {
            id: 1,
            since: SystemTime::now(),
            config: self.config.clone(),
            pools: Arc::clone(&self.pools),
            chain: Chain::default(),
            models: BTreeSet::from(["llama3".to_owned()]),
        };
        let call = Call::read(Api::OpenAiChat, BODY.into()).expect("it is valid");
        let mut head =
            RequestHeader::build("POST", b"/v1/chat/completions", None).expect("it is valid");
        head.insert_header("x-tier", "gold").expect("it is valid");
        Box::new(Exchange::new(
            Arc::new(generation),
            call,
            head,
            Instant::now(),
        ))
    }

    /// A metric, by its name and labels on Prometheus; 0 if there is none.
    pub(crate) fn metric(&self, sample: &str) -> f64 {
        let rendered = self.registry.render();
        let value = rendered
            .lines()
            .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().expect("a sample has a number"))
    }
}

/// What a configuration says of a guest, by default. The filter has its name.
pub(crate) fn filter(guest: &str) -> FilterConfig {
    FilterConfig {
        name: guest.into(),
        module: Module::Builtin(guest.to_owned()),
        settings: serde_json::json!({}),
        on_error: OnError::FailClosed,
        deadline: Duration::from_millis(10),
        max_memory: 16 << 20,
        grants: BTreeSet::new(),
        // Out of the way of those who count failures.
        breaker: Breaker {
            failures: u32::MAX,
            window: Duration::from_secs(10),
            cooldown: Duration::from_secs(5),
        },
    }
}

/// A built guest of `tests/guests`.
pub(crate) fn guest_bytes(guest: &str) -> Vec<u8> {
    let folder = std::env::var_os("HEADWORKS_GUESTS")
        .map_or_else(|| workspace().join("target/guests"), PathBuf::from);
    let path = folder.join(format!("guest_{guest}.wasm"));
    fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; run `cargo xtask guests` first",
            path.display()
        )
    })
}

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// So many endpoints, the later the less busy.
pub(crate) fn candidates(count: u32) -> Vec<Candidate> {
    let candidate = |id| Candidate {
        id,
        health: Health::Up,
        in_flight: count - id,
        outstanding_tokens: (count - id) * 100,
        free_kv_tokens: u32::MAX,
        weight: 1,
        ..Candidate::default()
    };
    (0..count).map(candidate).collect()
}
