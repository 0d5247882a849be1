//! What strangers send makes no metrics.

use std::net::UdpSocket;
use std::time::Duration;

use headworks_tests::{Guest, ModelServer, TestProxy, until};
use serde_json::json;

use crate::support::unified;

/// New series that may come of so many strange requests.
const MOST_SERIES: usize = 200;

/// Names that try to be more than names.
fn strange(number: usize) -> String {
    let kinds = [
        "a:1|c\nforged:9|c",
        "x|y@0.1|#tag:1",
        "emoji 🚰 and ünïcode",
        "{label=\"forged\"} 1\n# EOF",
        "..//..\\",
        "",
    ];
    match number % 7 {
        6 => "long".repeat(2_500),
        kind => format!("{}{number}", kinds[kind]),
    }
}

/// Lines of StatsD that a daemon has been sent by now.
fn received(daemon: &UdpSocket) -> Vec<String> {
    let mut lines = Vec::new();
    let mut datagram = [0; 65_536];
    while let Ok(length) = daemon.recv(&mut datagram) {
        assert!(length <= 1432, "a datagram of {length} bytes");
        let text = std::str::from_utf8(&datagram[..length]).expect("StatsD is text");
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}

/// `name:value|type`, and nothing that strangers could have written.
fn is_honest(line: &str) -> bool {
    let Some((name, rest)) = line.split_once(':') else {
        return false;
    };
    let mut parts = rest.split('|');
    let is_number = parts
        .next()
        .is_some_and(|value| value.parse::<f64>().is_ok());
    let is_kind = parts
        .next()
        .is_some_and(|kind| ["c", "g", "ms"].contains(&kind));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.chars().all(is_plain) && is_number && is_kind && !name.contains("forged")
}

#[tokio::test]
async fn strange_requests_make_few_series_and_no_forged_line() {
    let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
    daemon
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let model = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&model)
        .set("metrics.statsd", daemon.local_addr().unwrap().to_string())
        .filter(Guest::builtin("telemetry"))
        .filter(Guest::builtin("model-router"))
        .filter(Guest::builtin("token-limits"))
        .filter(Guest::builtin("load-shaper").settings(json!({"p99": "30s"})))
        .start()
        .await;
    proxy.post("/v1/generate", unified("qwen2")).await;
    let before = proxy.metrics().await.lines().count();
    for number in 0..500 {
        let name = strange(number);
        let mut body = unified(&name);
        body["scenario"] = name.as_str().into();
        let request = proxy.request("/v1/generate", &body);
        // What no header can hold is left out.
        let printable: String = name
            .chars()
            .filter(|c| matches!(c, ' '..='~'))
            .take(8_000)
            .collect();
        let request = request
            .header("x-model-id", &printable)
            .header("x-tenant", &printable);
        let answer = request.bearer_auth(&printable).send().await.unwrap();
        assert!(
            answer.status().as_u16() < 500,
            "{}: {name:?}",
            answer.status()
        );
    }
    let after = proxy.metrics().await.lines().count();
    assert!(after < before + MOST_SERIES, "{before} lines, then {after}");
    let mut lines = Vec::new();
    until("all requests are told to StatsD", async || {
        lines.extend(received(&daemon));
        let told = |line: &&String| line.starts_with("requests.total:");
        let count = |line: &String| line.split([':', '|']).nth(1)?.parse::<u64>().ok();
        let total: u64 = lines.iter().filter(told).filter_map(count).sum();
        (total == 501).then_some(())
    })
    .await;
    let forged: Vec<_> = lines.iter().filter(|line| !is_honest(line)).collect();
    assert!(forged.is_empty(), "{forged:?}");
}
