//! The dashboards and alert rules of `monitoring`, against a Prometheus that
//! watches a gateway to which everything happens that they show.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use headworks_tests::{
    FaultKind, Guest, ModelServer, Port, Prometheus, RedisServer, Setup, TestProxy, root, until,
};
use serde_json::{Value, json};

use crate::support::unified;

/// A query of a panel.
struct Query {
    /// Of which panel of which dashboard.
    panel: String,
    expression: String,
}

fn dashboards() -> Vec<PathBuf> {
    let folder = fs::read_dir(root().join("monitoring/grafana/dashboards")).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 4, "{files:?}");
    files
}

fn queries() -> Vec<Query> {
    let of_file = |file: PathBuf| {
        let dashboard: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let title = dashboard["title"].as_str().unwrap().to_owned();
        let panels = dashboard["panels"].as_array().unwrap().clone();
        panels.into_iter().flat_map(move |panel| {
            let panel_title = format!("{title}: {}", panel["title"].as_str().unwrap());
            let targets = panel["targets"].as_array().cloned().unwrap_or_default();
            targets.into_iter().map(move |target| Query {
                panel: panel_title.clone(),
                expression: filled(target["expr"].as_str().unwrap()),
            })
        })
    };
    dashboards().into_iter().flat_map(of_file).collect()
}

/// What Grafana makes of an expression when everything is chosen.
fn filled(expression: &str) -> String {
    let mut filled = expression.replace("$__rate_interval", "10s");
    filled = filled.replace("$__range", "1m");
    for variable in ["$instance", "$model", "$pool", "$filter", "$budget"] {
        filled = filled.replace(variable, ".*");
    }
    assert!(
        !filled.contains('$'),
        "a variable without a value: {filled}"
    );
    filled
}

/// A gateway with all that can be seen.
fn setup(servers: &Servers, redis: &RedisServer) -> Setup {
    let breaker = json!({"failures": 3, "window": "10s", "cooldown": "2s"});
    let fallbacks = json!({"models": {
        "qwen2": {"pool": "qwen2"},
        "llama3": {"pool": "llama3", "fallback": "qwen2"},
    }});
    let budgets = json!({"budgets": [
        {"name": "few", "requests": 60, "per": "minute", "burst": 2, "only": {"models": ["llama3"]}},
        {"name": "watched", "requests": 1, "per": "minute", "burst": 1, "shadow": true},
    ]});
    TestProxy::new()
        .pool("qwen2", [servers.slow.url()])
        .pool("llama3", [servers.refuses.url(), servers.fails.url()])
        .pool("gone", [format!("http://{}", servers.nobody.address())])
        .set("pools.llama3.health.eject_after", 2)
        .set("pools.gone.health.interval", "200ms")
        .set("shared_limits.redis", redis.url())
        .set("metrics.statsd", "127.0.0.1:9")
        .filter(Guest::builtin("telemetry"))
        .filter(
            Guest::of("traps")
                .set("on_error", "fail-open")
                .set("breaker", breaker),
        )
        .filter(Guest::of("logs_much").set("on_error", "fail-open"))
        .filter(Guest::builtin("model-router").settings(fallbacks))
        .filter(Guest::builtin("token-limits").settings(budgets))
        .filter(Guest::builtin("load-shaper").settings(json!({"p99": "30s", "max_in_flight": 1})))
}

struct Servers {
    slow: ModelServer,
    refuses: ModelServer,
    fails: ModelServer,
    nobody: Port,
}

impl Servers {
    fn start() -> Self {
        let servers = Self {
            slow: ModelServer::paced("qwen2", 4.0),
            refuses: ModelServer::named("llama3"),
            fails: ModelServer::named("llama3"),
            nobody: Port::free(),
        };
        servers.refuses.inject(FaultKind::Refuse);
        servers.fails.inject(FaultKind::Status { status: 500 });
        servers
    }
}

/// Everything happens again and again; never ends.
async fn traffic(proxy: &TestProxy) {
    loop {
        let ask = |model: &str, stream: bool| {
            let mut body = unified(model);
            body["stream"] = stream.into();
            async move {
                let answer = proxy.request("/v1/generate", &body).send().await;
                if let Ok(answer) = answer {
                    answer.bytes().await.ok();
                }
            }
        };
        // Several at a time, of which some have to wait.
        tokio::join!(
            ask("qwen2", true),
            ask("qwen2", false),
            ask("qwen2", true),
            ask("llama3", false),
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn every_panel_shows_something_while_there_is_traffic() {
    let (servers, redis) = (Servers::start(), RedisServer::start().await);
    let proxy = setup(&servers, &redis).start().await;
    let prometheus = Prometheus::watching(proxy.admin_address()).await;
    // One configuration is applied after the first, one is refused.
    proxy.write_config("nonsense").await.unwrap_err();
    proxy.write_config(proxy.setup().text()).await.unwrap();
    let queries = queries();
    assert!(queries.len() > 40, "{}", queries.len());
    let all_shown = async {
        for query in &queries {
            let what = format!("`{}` shows something: {}", query.panel, query.expression);
            until(&what, async || {
                let samples = prometheus.query(&query.expression).await;
                let samples = samples.unwrap_or_else(|error| panic!("{what}: {error}"));
                samples.iter().any(is_number).then_some(())
            })
            .await;
        }
    };
    tokio::select! {
        () = all_shown => {}
        () = traffic(&proxy) => {}
    }
}

/// A quotient of nothing and nothing is none.
fn is_number(sample: &Value) -> bool {
    let value = sample["value"][1].as_str();
    value.is_some_and(|value| value.parse::<f64>().is_ok_and(|value| !value.is_nan()))
}

/// Runs Prometheus' own checks.
#[track_caller]
fn promtool(args: &[&str]) {
    let mut command = Command::new("promtool");
    let ran = command
        .args(args)
        .current_dir(root().join("monitoring/prometheus"))
        .output();
    let ran = ran.expect("promtool is installed, with Debian's package prometheus");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        ran.status.success(),
        "{args:?}\n{}{}",
        said(&ran.stdout),
        said(&ran.stderr)
    );
}

#[test]
fn alert_rules_are_sound_and_fire_when_they_should() {
    promtool(&["check", "config", "prometheus.yml"]);
    promtool(&["check", "rules", "rules/headworks.yml"]);
    promtool(&["test", "rules", "tests/headworks_test.yml"]);
}
