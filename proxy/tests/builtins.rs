//! The built-in filters as they are embedded: each with its README's settings,
//! and all four as a chain, in the host that runs them.

#![allow(clippy::unwrap_used, reason = "what helps a test is a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headworks::api::{Api, Call};
use headworks::config::{BUILTINS, Config};
use headworks::exchange::Exchange;
use headworks::filter::{Choice, Generation, Loader, Refusal};
use headworks::observe::Registry;
use headworks::outcome::End;
use headworks::wasm::{Options, Runtime};
use pingora_http::RequestHeader;

const POOLS: &str = r#"
pools.qwen2 = { protocol = "tgi", endpoints = ["http://127.0.0.1:1"] }
pools.llama3 = { protocol = "tgi", endpoints = ["http://127.0.0.1:2"] }
"#;

struct Gateway {
    loader: Loader,
    registry: Arc<Registry>,
}

impl Gateway {
    fn new() -> Self {
        let registry = Arc::new(Registry::new());
        // Compiled once for all tests.
        let options = Options {
            cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("builtins")),
            ..Options::default()
        };
        let runtime = Runtime::new(options, registry.clone()).unwrap();
        let loader = Loader::new(runtime, registry.clone());
        Self { loader, registry }
    }

    fn load(&self, text: &str) -> Result<Arc<Generation>, String> {
        let config = Config::parse(text, Path::new("test.toml")).map_err(|e| e.to_string())?;
        let generation = self.loader.load(config, None);
        generation.map(Arc::new).map_err(|e| e.to_string())
    }

    /// The lines of the exposition that are about this metric.
    fn metric(&self, name: &str) -> Vec<String> {
        let rendered = self.registry.render();
        let lines = rendered.lines().filter(|line| line.starts_with(name));
        lines.map(str::to_owned).collect()
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn demo() -> String {
    fs::read_to_string(root().join("config/demo.toml")).unwrap()
}

fn with_filter(name: &str, settings: &str) -> String {
    format!("{POOLS}\n[[filters]]\nmodule = \"builtin:{name}\"\n{settings}")
}

fn exchange(generation: &Arc<Generation>, body: &str) -> Box<Exchange> {
    let call = Call::read(Api::Unified, body.to_owned().into()).unwrap();
    let head = RequestHeader::build("POST", b"/v1/generate", None).unwrap();
    let exchange = Exchange::new(generation.clone(), call, head, Instant::now());
    Box::new(exchange)
}

/// Sends a request through the chain and on to an endpoint that answers.
fn serve(generation: &Arc<Generation>, body: &str) -> (Box<Exchange>, Result<Choice, Refusal>) {
    let chain = &generation.chain;
    let (mut exchange, mut result) = match chain.on_request(exchange(generation, body)) {
        (exchange, Ok(())) => {
            let pool = exchange.pool.clone().expect("it is routed");
            chain.place(
                exchange,
                &pool.candidates(None, Instant::now()),
                Duration::ZERO,
            )
        }
        (exchange, Err(refusal)) => (exchange, Err(refusal)),
    };
    match &mut result {
        Ok(_) => {
            exchange.outcome.end = End::Ok;
            exchange.outcome.status = 200;
            exchange.outcome.endpoint = Some("http://127.0.0.1:1".into());
            exchange.outcome.input_tokens = Some(12);
            exchange.outcome.output_tokens = 34;
        }
        Err(Refusal::Rejected { rejection, .. }) => {
            exchange.outcome.end = End::Rejected;
            exchange.outcome.status = rejection.status;
        }
        Err(Refusal::Failed { filter }) => panic!("`{filter}` failed"),
    }
    (chain.on_complete(exchange), result)
}

/// The blocks of a Markdown text that are marked as TOML.
fn toml_blocks(markdown: &str) -> Vec<&str> {
    let blocks = markdown.split("```toml\n").skip(1);
    blocks.filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn each_loads_without_settings_and_has_its_hooks() {
    let gateway = Gateway::new();
    let hooks_with = |name: &str, settings: &str| {
        let generation = gateway.load(&with_filter(name, settings)).unwrap();
        let plan = generation.chain.filters().next().unwrap().plan();
        (plan.on_request, plan.place, plan.on_complete)
    };
    let hooks = |name: &str| hooks_with(name, "");
    assert_eq!(
        BUILTINS.map(hooks),
        [
            (true, false, false),
            (true, false, false),
            (false, true, false),
            (false, false, true),
        ]
    );
    // Whether a promise was kept is to be learned only where one is made.
    let objective = "[filters.settings]\np99 = \"1s\"\n";
    assert_eq!(hooks_with("load-shaper", objective), (false, true, true));
}

#[test]
fn each_takes_the_settings_of_its_readme() {
    let gateway = Gateway::new();
    for name in BUILTINS {
        let readme = root().join("filters").join(name).join("README.md");
        let readme = fs::read_to_string(readme).unwrap();
        let blocks = toml_blocks(&readme);
        assert!(!blocks.is_empty(), "{name} shows no settings");
        for block in blocks {
            if let Err(problems) = gateway.load(&with_filter(name, block)) {
                panic!("{problems}\nin the README of {name}:\n{block}");
            }
        }
    }
}

#[test]
fn every_configuration_of_the_repository_loads() {
    let gateway = Gateway::new();
    for file in ["minimal.toml", "headworks.toml", "demo.toml"] {
        let text = fs::read_to_string(root().join("config").join(file)).unwrap();
        gateway
            .load(&text)
            .unwrap_or_else(|problems| panic!("config/{file}: {problems}"));
    }
    let bench = |file: &str| fs::read_to_string(root().join("bench/configs").join(file)).unwrap();
    let mut text = bench("base.toml");
    for name in BUILTINS {
        text.push_str(&bench(&format!("{name}.toml")));
    }
    for (mark, address) in [("@LISTEN@", 1), ("@ADMIN@", 2), ("@UPSTREAM@", 3)] {
        text = text.replace(mark, &format!("127.0.0.1:{address}"));
    }
    gateway
        .load(&text)
        .unwrap_or_else(|problems| panic!("bench/configs: {problems}"));
}

#[test]
fn a_request_passes_the_four_and_is_counted() {
    let gateway = Gateway::new();
    let generation = gateway.load(&demo()).unwrap();
    let models = ["assistant", "llama3", "qwen2"].map(str::to_owned);
    assert_eq!(generation.models, BTreeSet::from(models));

    let body = r#"{"model_id":"assistant","inputs":"What is a headworks?"}"#;
    let (exchange, choice) = serve(&generation, body);
    assert_eq!(choice, Ok(Choice::At(0)));
    assert_eq!(
        exchange.pool.as_ref().map(|pool| &*pool.name),
        Some("qwen2")
    );
    assert_eq!(
        exchange.call.max_new_tokens(),
        Some(1024),
        "the limit of the demo"
    );
    assert_eq!(
        gateway.metric("headworks_requests_total"),
        ["headworks_requests_total 1"]
    );
    assert_eq!(
        gateway.metric("headworks_requests_model"),
        [
            "headworks_requests_model_total{model=\"assistant\"} 1",
            "headworks_requests_model_input_tokens_total{model=\"assistant\"} 12",
            "headworks_requests_model_output_tokens_total{model=\"assistant\"} 34",
        ]
    );
}

#[test]
fn what_one_refuses_the_next_never_sees_and_the_first_counts() {
    let gateway = Gateway::new();
    let generation = gateway.load(&demo()).unwrap();
    let refusal = |body: &str| match serve(&generation, body).1 {
        Err(Refusal::Rejected { filter, rejection }) => {
            (filter.to_string(), rejection.status, rejection.code)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refusal(r#"{"model_id":"gpt-900","inputs":"Anybody there?"}"#),
        ("router".to_owned(), 404, "model_not_found".to_owned())
    );
    assert_eq!(
        refusal(r#"{"model_id":"llama3","inputs":"x","parameters":{"max_new_tokens":1000000}}"#),
        (
            "limits".to_owned(),
            422,
            "max_new_tokens_too_high".to_owned()
        )
    );
    assert_eq!(
        gateway.metric("headworks_requests_errors"),
        ["headworks_requests_errors_total{end=\"rejected\"} 2"]
    );
    assert_eq!(
        gateway.metric("headworks_requests_model_total"),
        [
            "headworks_requests_model_total{model=\"llama3\"} 1",
            "headworks_requests_model_total{model=\"other\"} 1",
        ]
    );
}

#[test]
fn a_scenario_wraps_the_prompt_without_a_grant() {
    let gateway = Gateway::new();
    let settings = r#"
        [filters.settings.scenarios.summarize]
        template = "Summarize:\n{inputs}\nSummary:"
        parameters = { temperature = 0.2 }
    "#;
    let generation = gateway
        .load(&with_filter("model-router", settings))
        .unwrap();
    let body = r#"{"model_id":"qwen2","scenario":"summarize","inputs":"Long."}"#;
    let (exchange, _) = generation.chain.on_request(exchange(&generation, body));
    let prompt = exchange.call.json("/inputs").unwrap();
    assert_eq!(prompt, r#""Summarize:\nLong.\nSummary:""#);
    assert_eq!(
        exchange.call.parameter("temperature").as_deref(),
        Some("0.2")
    );
}

#[test]
fn a_pool_that_is_not_there_is_refused_by_name_and_place() {
    let gateway = Gateway::new();
    let wrong = demo().replace(
        "assistant = { pool = \"qwen2\" }",
        "assistant = { pool = \"qwenn2\" }",
    );
    let problems = gateway.load(&wrong).err().unwrap();
    let expected = "filters[1].settings.models.assistant.pool";
    assert!(problems.contains(expected), "{problems}");
    let expected = "no pool `qwenn2`; did you mean `qwen2`?";
    assert!(problems.contains(expected), "{problems}");
}

#[test]
fn settings_of_telemetry_may_change_under_way() {
    let gateway = Gateway::new();
    for settings in ["", "[filters.settings]\nper_model = false", ""] {
        gateway.load(&with_filter("telemetry", settings)).unwrap();
    }
}
