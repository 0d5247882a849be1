//! A client that leaves costs nothing more: not a token upstream, not a place.

use headworks_tests::{FaultKind, Guest, ModelServer, Signal, TestProxy, http2_client, until};

use crate::support::{RUNNING, WAITING, ask, post};

async fn start() -> (ModelServer, TestProxy) {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let proxy = TestProxy::to(&qwen).start().await;
    (qwen, proxy)
}

/// Waits until neither side has anything left of the exchange.
async fn nothing_left(qwen: &ModelServer, proxy: &TestProxy) {
    qwen.until("the model server is free", |stats| {
        stats.cancelled == 1 && stats.open == 0 && stats.running == 0
    })
    .await;
    assert_eq!(qwen.stats().finished, 0);
    proxy.wait_for_metric(RUNNING, 0.0).await;
}

/// What this says leaves out how a client leaves: by closing, or by a reset.
async fn leaves(path: &'static str, reset: bool, when_running: bool) {
    let (qwen, proxy) = start().await;
    let request = post(path, &ask(4000)).replace("host:", "x-sim-out: 4000\r\nhost:");
    let mut wire = proxy.wire().await;
    wire.send(request).await;
    qwen.until("it runs", |stats| stats.running == 1).await;
    if when_running {
        wire.head().await.unwrap();
    }
    if reset {
        wire.reset();
    } else {
        drop(wire);
    }
    nothing_left(&qwen, &proxy).await;
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_frees_the_model_server() {
    leaves("/generate", false, false).await;
    leaves("/v1/generate", true, false).await;
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_frees_the_model_server() {
    leaves("/generate_stream", false, true).await;
    leaves("/generate_stream", true, true).await;
}

#[tokio::test]
async fn a_client_that_leaves_while_the_head_is_awaited_frees_the_gateway() {
    let (qwen, proxy) = start().await;
    qwen.inject(FaultKind::Stall);
    let request = proxy.request("/generate", &ask(8)).send();
    let task = tokio::spawn(request);
    proxy.wait_for_metric(RUNNING, 1.0).await;
    task.abort();
    proxy.wait_for_metric(RUNNING, 0.0).await;
}

#[tokio::test]
async fn a_client_of_http2_that_leaves_a_stream_frees_the_model_server() {
    let (qwen, proxy) = start().await;
    let client = http2_client();
    let request = client.post(proxy.url("/generate_stream")).json(&ask(4000));
    let mut stream = request.header("x-sim-out", 4000).send().await.unwrap();
    stream.chunk().await.unwrap().unwrap();
    drop(stream);
    nothing_left(&qwen, &proxy).await;
}

#[tokio::test]
async fn a_client_that_leaves_the_queue_is_never_sent_upstream() {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let shaper = Guest::builtin("load-shaper").settings(serde_json::json!({"max_in_flight": 1}));
    let proxy = TestProxy::to(&qwen).filter(shaper).start().await;
    let first = proxy.stream(4000).await;
    let waiting = tokio::spawn(proxy.request("/generate", &ask(8)).send());
    proxy.wait_for_metric(WAITING, 1.0).await;
    waiting.abort();
    proxy.wait_for_metric(RUNNING, 1.0).await;
    drop(first);
    proxy.wait_for_metric(RUNNING, 0.0).await;
    assert_eq!(qwen.seen(), 1);
    assert_eq!(proxy.post("/generate", ask(2)).await.status(), 200);
}

#[tokio::test]
async fn a_client_that_takes_nothing_holds_nothing_but_its_own_stream() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen)
        .set("server.read_timeout", "300ms")
        .start()
        .await;
    let mut wire = proxy.wire().await;
    let request = post("/generate_stream", &ask(8000)).replace("host:", "x-sim-out: 8000\r\nhost:");
    // More than what sockets hold, and none of it is read.
    wire.send(request.repeat(8)).await;
    assert_eq!(proxy.post("/generate", ask(2)).await.status(), 200);
    until("the stuck stream is given up", async || {
        (proxy.metric(RUNNING).await == 0.0).then_some(())
    })
    .await;
    qwen.until("the model server is free", |stats| stats.open == 0)
        .await;
    proxy.signal(Signal::SIGTERM);
    assert!(proxy.ended().await.success());
}

#[tokio::test]
async fn a_client_that_leaves_before_its_body_is_there_is_never_sent_upstream() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let request = post("/generate", &ask(4));
    for half in [false, true] {
        let mut wire = proxy.wire().await;
        wire.send(&request[..request.len() - 5]).await;
        proxy.wait_for_metric(RUNNING, 1.0).await;
        if half {
            // Who only stops to send may be told so, and nothing else.
            wire.close_sending().await;
            let told = String::from_utf8(wire.rest().await).unwrap();
            assert!(told.is_empty() || told.starts_with("HTTP/1.1 4"), "{told}");
        } else {
            wire.reset();
        }
        proxy.wait_for_metric(RUNNING, 0.0).await;
    }
    assert_eq!(qwen.seen(), 0);
}
