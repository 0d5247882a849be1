//! The metrics of the seed, on StatsD and on `/metrics`, with the same numbers.

use std::collections::BTreeMap;
use std::net::UdpSocket;

use headworks_tests::{FaultKind, Guest, ModelServer, TestProxy, Told, until};
use serde_json::json;

use crate::support::unified;

/// A StatsD daemon that adds counters up and counts timings.
struct Daemon {
    socket: UdpSocket,
    sums: BTreeMap<String, f64>,
}

impl Daemon {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let sums = BTreeMap::new();
        Self { socket, sums }
    }

    fn address(&self) -> String {
        self.socket.local_addr().unwrap().to_string()
    }

    /// Reads what has come.
    fn read(&mut self) {
        let mut datagram = [0; 2048];
        while let Ok(length) = self.socket.recv(&mut datagram) {
            assert!(
                length <= 1432,
                "a datagram of {length} bytes may be lost on its way"
            );
            let text = std::str::from_utf8(&datagram[..length]).unwrap();
            for line in text.lines() {
                self.add(line);
            }
        }
    }

    fn add(&mut self, line: &str) {
        let (name, rest) = line.split_once(':').unwrap();
        let (value, kind) = rest.split_once('|').unwrap();
        let value: f64 = value.parse().unwrap();
        let sum = self.sums.entry(name.to_owned()).or_default();
        match kind {
            "c" => *sum += value,
            "ms" => *sum += 1.0,
            "g" => *sum = value,
            other => panic!("{other} in {line}"),
        }
    }

    async fn says(&mut self, name: &str, value: f64) {
        let what = format!("StatsD's {name} is {value}");
        until(&what, async || {
            self.read();
            (self.sums.get(name) == Some(&value)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn the_metrics_of_the_seed_are_on_statsd_and_on_the_page_with_the_same_numbers() {
    let (mut daemon, qwen) = (Daemon::start(), ModelServer::named("qwen2"));
    let proxy = TestProxy::to(&qwen)
        .filter(Guest::builtin("telemetry"))
        .filter(Guest::builtin("model-router").settings(json!({"unknown": "pass"})))
        .set("metrics.statsd", daemon.address())
        .set("pools.qwen2.timeouts.head", "100ms")
        .start()
        .await;
    for _ in 0..3 {
        let request = proxy.request("/v1/generate", &unified("qwen2"));
        let request = request.header("x-sim-out", 5).header("x-sim-in", 7);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let mut streamed = unified("qwen2");
    streamed["stream"] = true.into();
    let request = proxy
        .request("/v1/generate", &streamed)
        .header("x-sim-out", 5);
    assert!(Told::by(request.send().await.unwrap()).await.is_whole(5));
    assert_eq!(
        proxy
            .post("/v1/generate", unified("a stranger's"))
            .await
            .status(),
        200
    );
    qwen.inject(FaultKind::Stall);
    assert_eq!(
        proxy.post("/v1/generate", unified("qwen2")).await.status(),
        504
    );
    // The stream and what timed out tell no count of their prompt; the estimate,
    // learned from the answers before, stands in.
    let input = 5.0 * 7.0;
    for (statsd, series, value) in [
        ("requests.total", "headworks_requests_total", 6.0),
        (
            "requests.model.qwen2",
            "headworks_requests_model_total{model=\"qwen2\"}",
            5.0,
        ),
        (
            "requests.model.other",
            "headworks_requests_model_total{model=\"other\"}",
            1.0,
        ),
        (
            "requests.model.qwen2.output_tokens",
            "headworks_requests_model_output_tokens_total{model=\"qwen2\"}",
            20.0,
        ),
        (
            "requests.model.qwen2.input_tokens",
            "headworks_requests_model_input_tokens_total{model=\"qwen2\"}",
            input,
        ),
        (
            "requests.errors.timeout",
            "headworks_requests_errors_total{end=\"timeout\"}",
            1.0,
        ),
        (
            "requests.status.504",
            "headworks_requests_status_total{status=\"504\"}",
            1.0,
        ),
    ] {
        proxy.wait_for_metric(series, value).await;
        daemon.says(statsd, value).await;
    }
    daemon.says("request.latency", 6.0).await;
    daemon.says("request.first_token", 1.0).await;
    let page = proxy.metrics().await;
    assert!(
        page.contains("headworks_request_latency_seconds_count{model=\"qwen2\"} 5"),
        "{page}"
    );
    assert!(page.ends_with("# EOF\n"), "{page}");
    assert!(!page.contains("stranger"), "{page}");
}

#[tokio::test]
async fn another_daemon_is_told_from_a_reload_on() {
    let (mut first, mut second) = (Daemon::start(), Daemon::start());
    let qwen = ModelServer::named("qwen2");
    let setup = TestProxy::to(&qwen).filter(Guest::builtin("telemetry"));
    let mut proxy = setup.set("metrics.statsd", first.address()).start().await;
    proxy.generate("hi").await;
    first.says("requests.total", 1.0).await;
    let swapped = proxy.rewrite_config(|config| {
        config.change("metrics.statsd", second.address());
        config.change("metrics.statsd_prefix", "headworks.");
    });
    swapped.await.unwrap();
    proxy.generate("hi").await;
    proxy.generate("hi").await;
    second.says("headworks.requests.total", 2.0).await;
    first.read();
    assert_eq!(first.sums["requests.total"], 1.0);
}

#[tokio::test]
async fn every_end_is_counted() {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let refuse = json!({"max_new_tokens": {"limit": 5000}});
    let proxy = TestProxy::to(&qwen)
        .filter(Guest::builtin("telemetry"))
        .filter(Guest::builtin("token-limits").settings(refuse))
        .start()
        .await;
    drop(proxy.stream(4000).await);
    proxy.stream(5001).await;
    qwen.inject(FaultKind::ErrorEvent { tokens: 1 });
    Told::by(proxy.stream(9).await).await;
    for end in ["client-gone", "rejected", "upstream-error"] {
        let series = format!("headworks_requests_errors_total{{end=\"{end}\"}}");
        proxy.wait_for_metric(&series, 1.0).await;
    }
    proxy.wait_for_metric("headworks_requests_total", 3.0).await;
}
