//! How soon a model server learns that a client has left, in every state that
//! an exchange can be in, and that nothing of it is left.

use std::time::{Duration, Instant};

use headworks_tests::{Guest, ModelServer, Scripted, TestProxy, Wire, until};
use serde_json::json;
use tokio::sync::mpsc;

use crate::support::{RUNNING, WAITING, ask, full, post};

/// Most time that a model server works for nobody: the 99th percentile.
const SOON: Duration = Duration::from_millis(50);

/// How many clients leave in a state.
fn times() -> u64 {
    if full() { 100 } else { 10 }
}

/// A client's request for many tokens, on a connection of its own.
async fn asks(proxy: &TestProxy, path: &str) -> Wire {
    let request = post(path, &ask(4000)).replace("host:", "x-sim-out: 4000\r\nhost:");
    let mut wire = proxy.wire().await;
    wire.send(request).await;
    wire
}

/// Lets clients leave, one after the other, and tells how long the model server
/// went on for each.
async fn leave(state: &str, qwen: &ModelServer, proxy: &TestProxy, path: &str, streams: bool) {
    let mut took = Vec::new();
    for round in 1..=times() {
        let mut wire = asks(proxy, path).await;
        qwen.until("it has the request", |stats| stats.open == 1)
            .await;
        if streams {
            wire.head().await.unwrap();
        }
        let since = Instant::now();
        drop(wire);
        while qwen.stats().cancelled < round || qwen.stats().open > 0 {
            tokio::time::sleep(Duration::from_micros(500)).await;
            assert!(
                since.elapsed() < Duration::from_secs(60),
                "{state}: it goes on"
            );
        }
        took.push(since.elapsed());
    }
    report(state, took);
    nothing_left(proxy).await;
}

#[expect(clippy::print_stdout, reason = "figures for who runs it at full size")]
fn report(state: &str, mut took: Vec<Duration>) {
    took.sort();
    let p99 = took[(took.len() * 99).div_ceil(100) - 1];
    println!(
        "{state}: cancelled after {:?} P50, {p99:?} P99",
        took[took.len() / 2]
    );
    // Only a machine that does nothing else tells how soon.
    assert!(!full() || p99 <= SOON, "{state}: {p99:?}");
}

/// Neither a place, nor work, nor a request of any exchange.
async fn nothing_left(proxy: &TestProxy) {
    proxy.wait_for_metric(RUNNING, 0.0).await;
    until("no endpoint has anything to do", async || {
        let page = proxy.admin_get("/endpoints").await.json().await;
        let page: serde_json::Value = page.unwrap();
        let mut endpoints = page["pools"]["qwen2"].as_array().unwrap().iter();
        let idle = |endpoint: &serde_json::Value| {
            endpoint["in_flight"] == 0 && endpoint["outstanding_tokens"] == 0
        };
        endpoints.all(idle).then_some(())
    })
    .await;
}

async fn start() -> (ModelServer, TestProxy) {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let proxy = TestProxy::to(&qwen).start().await;
    (qwen, proxy)
}

#[tokio::test]
async fn while_a_whole_answer_is_generated() {
    let (qwen, proxy) = start().await;
    leave("whole answer", &qwen, &proxy, "/generate", false).await;
}

#[tokio::test]
async fn while_a_whole_answer_that_the_gateway_completes_is_generated() {
    let (qwen, proxy) = start().await;
    leave("completed answer", &qwen, &proxy, "/v1/generate", false).await;
}

#[tokio::test]
async fn in_the_middle_of_a_stream() {
    let (qwen, proxy) = start().await;
    leave("stream", &qwen, &proxy, "/generate_stream", true).await;
}

#[tokio::test]
async fn while_a_streams_head_is_held() {
    // It says 200, as TGI does, and nothing else.
    let (tell, mut told) = mpsc::unbounded_channel();
    let silent = Scripted::start(move |_, mut wire| {
        let tell = tell.clone();
        async move {
            wire.message().await;
            wire.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n:\n\n")
                .await;
            tell.send(()).unwrap();
            wire.rest().await;
            tell.send(()).unwrap();
        }
    })
    .await;
    let proxy = TestProxy::new().scripted("qwen2", &silent).start().await;
    let mut took = Vec::new();
    for _ in 0..times() {
        let wire = asks(&proxy, "/generate_stream").await;
        told.recv().await.unwrap();
        let since = Instant::now();
        drop(wire);
        told.recv().await.unwrap();
        took.push(since.elapsed());
    }
    report("held head", took);
    nothing_left(&proxy).await;
}

#[tokio::test]
async fn while_it_waits_in_the_queue() {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let shaper = Guest::builtin("load-shaper").settings(json!({"max_in_flight": 1}));
    let proxy = TestProxy::to(&qwen).filter(shaper).start().await;
    let first = proxy.stream(4000).await;
    let mut took = Vec::new();
    for _ in 0..times() {
        let wire = asks(&proxy, "/generate").await;
        proxy.wait_for_metric(WAITING, 1.0).await;
        let since = Instant::now();
        drop(wire);
        proxy.wait_for_metric(RUNNING, 1.0).await;
        took.push(since.elapsed());
    }
    report("queued, at the gateway", took);
    assert_eq!(qwen.seen(), 1);
    drop(first);
    nothing_left(&proxy).await;
}
