//! How the gateway starts, judges its configuration, and ends.

use std::net::TcpListener;
use std::time::Instant;

use headworks_tests::{
    FaultKind, Guest, ModelServer, Port, Setup, Signal, TestProxy, Told, http2_client, until,
};
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::{WAITING, ask, post};

/// A stream of about a second, and one that outlasts the test.
const SHORT: u32 = 120;
const LONG: u32 = 4000;

async fn start(drain: &str) -> (ModelServer, TestProxy) {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let proxy = TestProxy::to(&qwen)
        .set("server.drain", drain)
        .start()
        .await;
    (qwen, proxy)
}

async fn refuses_connections(proxy: &TestProxy) {
    until("nobody connects any more", async || {
        TcpStream::connect(proxy.address())
            .await
            .is_err()
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_is_told_to_stop_ends_when_its_last_stream_has() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        // Were this waited for, the test would not see the end.
        let (qwen, proxy) = start("1h").await;
        let stream = proxy.stream(SHORT).await;
        qwen.inject(FaultKind::Stall);
        // Has nothing to say, and holds nothing up.
        let mut idle = proxy.wire().await;
        idle.send(post("/nothing", &ask(1))).await;
        idle.message().await.unwrap();
        proxy.signal(signal);
        refuses_connections(&proxy).await;
        assert_eq!(proxy.admin_get("/readyz").await.status(), 503);
        assert_eq!(proxy.admin_get("/healthz").await.status(), 200);
        qwen.recover();
        let told = Told::by(stream).await;
        let ended = Instant::now();
        assert!(told.is_whole(SHORT as usize), "{told:?}");
        assert_eq!(proxy.ended().await.code(), Some(0), "{signal}");
        eprintln!("ended {:?} after its last stream", ended.elapsed());
    }
}

#[tokio::test]
async fn an_idle_gateway_ends_at_once() {
    let (_qwen, proxy) = start("1h").await;
    let mut idle = proxy.wire().await;
    idle.send(post("/generate", &ask(1))).await;
    assert_eq!(idle.message().await.unwrap().status(), 200);
    proxy.signal(Signal::SIGTERM);
    assert_eq!(proxy.ended().await.code(), Some(0));
    idle.closed().await;
}

#[tokio::test]
async fn a_second_signal_ends_it_whatever_runs() {
    let (qwen, proxy) = start("1h").await;
    let stream = proxy.stream(LONG).await;
    proxy.signal(Signal::SIGTERM);
    refuses_connections(&proxy).await;
    proxy.signal(Signal::SIGTERM);
    assert_eq!(proxy.ended().await.code(), Some(0));
    assert!(Told::by(stream).await.broke.is_some(), "a false end");
    qwen.until("the model server is free", |stats| stats.open == 0)
        .await;
}

#[tokio::test]
async fn streams_that_outlast_the_drain_time_are_cut() {
    let (qwen, proxy) = start("200ms").await;
    let stream = proxy.stream(LONG).await;
    proxy.signal(Signal::SIGTERM);
    assert_eq!(proxy.ended().await.code(), Some(0));
    assert!(Told::by(stream).await.broke.is_some(), "a false end");
    qwen.until("the model server is free", |stats| stats.open == 0)
        .await;
}

#[tokio::test]
async fn a_request_on_a_kept_connection_is_still_served_while_it_stops() {
    let (_qwen, proxy) = start("1h").await;
    let mut kept = proxy.wire().await;
    kept.send(post("/generate", &ask(1))).await;
    assert_eq!(kept.message().await.unwrap().status(), 200);
    let stream = proxy.stream(SHORT).await;
    proxy.signal(Signal::SIGTERM);
    refuses_connections(&proxy).await;
    kept.send(post("/generate", &ask(1))).await;
    // Answered and told to go, or closed before; never left without either.
    if let Some(answer) = kept.message().await {
        assert_eq!(
            (answer.status(), answer.header("connection")),
            (200, Some("close"))
        );
    }
    kept.closed().await;
    assert!(Told::by(stream).await.is_whole(SHORT as usize));
    assert_eq!(proxy.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_stream_over_http2_ends_before_the_gateway_does() {
    let (_qwen, proxy) = start("1h").await;
    let request = http2_client().post(proxy.url("/generate_stream"));
    let request = request.json(&ask(SHORT)).header("x-sim-out", SHORT);
    let stream = request.send().await.unwrap();
    proxy.signal(Signal::SIGTERM);
    refuses_connections(&proxy).await;
    assert!(Told::by(stream).await.is_whole(SHORT as usize));
    assert_eq!(proxy.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_request_that_waits_for_a_place_is_served_before_the_gateway_ends() {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let shaper = Guest::builtin("load-shaper").settings(json!({"max_in_flight": 1}));
    let setup = TestProxy::to(&qwen).filter(shaper);
    let proxy = setup.set("server.drain", "1h").start().await;
    let stream = proxy.stream(LONG).await;
    let waiting = tokio::spawn(proxy.request("/generate", &ask(2)).send());
    proxy.wait_for_metric(WAITING, 1.0).await;
    proxy.signal(Signal::SIGTERM);
    refuses_connections(&proxy).await;
    drop(stream);
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
    assert_eq!(proxy.ended().await.code(), Some(0));
}

fn chain() -> Setup {
    TestProxy::new()
        .pool("qwen2", ["http://127.0.0.1:1"])
        .filter(Guest::builtin("model-router"))
        .filter(Guest::of("allow_all"))
}

#[tokio::test]
async fn check_says_that_a_good_configuration_is_good() {
    let ran = chain().check();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(
        ran.stdout
            .ends_with("headworks.toml: good, with 1 pool and 2 filters\n"),
        "{}",
        ran.stdout
    );
}

#[tokio::test]
async fn check_names_all_that_is_wrong_in_one_go() {
    let settings = json!({"models": {"gpt": {"pool": "gpu"}}});
    let ran = TestProxy::new()
        .pool("qwen2", ["http://127.0.0.1:1"])
        .filter(Guest::builtin("model-router").settings(settings))
        .filter(Guest::module(
            "half",
            &headworks_tests::guest_bytes("allow_all")[..900],
        ))
        .filter(Guest::of("loops_in_configure"))
        .check();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    for said in [
        "headworks.toml: 3 problems",
        "filters[0].settings.models.gpt.pool",
        "`gpu`",
        "filters[1].module",
        "is it half written?",
        "filters[2].module",
        "ran past its deadline",
    ] {
        assert!(ran.stderr.contains(said), "no `{said}` in: {}", ran.stderr);
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_way_out() {
    for key in ["server.listen", "admin.listen"] {
        let (held, free) = (Port::free(), Port::free());
        let taken = held.address();
        let _holder = TcpListener::bind(taken).unwrap();
        let setup = chain().set("server.listen", free.address().to_string());
        let setup = setup.set("admin.listen", "127.0.0.1:0");
        let ran = setup.set(key, taken.to_string()).run();
        assert_eq!(ran.code, Some(1), "{key}");
        let said = format!("cannot listen on {taken}; stop what does, or change the configuration");
        assert!(ran.stderr.contains(&said), "{key}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn a_configuration_that_is_not_there_is_named() {
    let ran = headworks_tests::run(["run", "--config", "/nowhere/headworks.toml"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("/nowhere/headworks.toml"),
        "{}",
        ran.stderr
    );
}
