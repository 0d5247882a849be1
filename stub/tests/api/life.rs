use headworks_stub::{FaultKind, Options, Profile, Server};
use serde_json::{Value, json};

use crate::support::{ask, events, stub, stub_with};

/// A card so fast that tests do not wait for it, but on a real schedule.
fn timed() -> Options {
    Options {
        speed: 100.0,
        model_id: "qwen2".to_owned(),
        ..Options::for_profile(Profile::Fast12)
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_frees_its_place() {
    for options in [
        Options::named("qwen2"),
        Options {
            speed: 1.0,
            ..timed()
        },
    ] {
        let stub = stub_with(options);
        let mut response = stub
            .request("/generate_stream", &ask(5_000))
            .header("x-sim-out", "5000")
            .send()
            .await
            .unwrap();
        response.chunk().await.unwrap();
        drop(response);
        stub.until(|stats| stats.cancelled == 1 && stats.running == 0 && stats.open == 0)
            .await;
        assert_eq!(stub.server.stats().finished, 0);
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_a_whole_answer_frees_its_place() {
    let stub = stub_with(Options {
        speed: 1.0,
        ..timed()
    });
    let request = tokio::spawn(
        stub.request("/generate", &ask(5_000))
            .header("x-sim-out", "5000")
            .send(),
    );
    stub.until(|stats| stats.running == 1).await;
    request.abort();
    stub.until(|stats| stats.cancelled == 1 && stats.running == 0 && stats.open == 0)
        .await;
}

#[tokio::test]
async fn a_timed_card_serves_many_at_once_and_keeps_count() {
    let stub = stub_with(timed());
    let requests: Vec<_> = (0..20)
        .map(|number| {
            let body =
                json!({"inputs": format!("prompt {number}"), "parameters": {"max_new_tokens": 10}});
            tokio::spawn(
                stub.request("/generate_stream", &body)
                    .header("x-sim-out", "10")
                    .send(),
            )
        })
        .collect();
    for request in requests {
        assert_eq!(events(request.await.unwrap().unwrap()).await.len(), 10);
    }
    let stats = stub.server.stats();
    assert_eq!((stats.seen, stats.finished, stats.tokens), (20, 20, 200));
    assert!(stats.lateness.passes > 0);
    let page = stub.get("/metrics").await.text().await.unwrap();
    assert!(
        page.contains("tgi_batch_inference_count{method=\"decode\"}"),
        "{page}"
    );
}

#[tokio::test]
async fn a_long_answer_goes_on_after_a_round() {
    let stub = stub();
    let answer = stub
        .request("/generate", &ask(3_000))
        .header("x-sim-out", "2500")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["x-generated-tokens"], "2500");
}

#[tokio::test]
async fn the_last_request_can_be_looked_at() {
    let stub = stub();
    stub.request("/generate", &ask(3))
        .header("x-request-id", "seven")
        .send()
        .await
        .unwrap();
    let last = stub.server.stats().last.unwrap();
    assert_eq!(last.path, "/generate");
    assert_eq!(last.headers["x-request-id"], "seven");
    assert_eq!(serde_json::from_slice::<Value>(&last.body).unwrap(), ask(3));
    let stats: Value = stub.get("/_stats").await.json().await.unwrap();
    assert_eq!(stats["seen"], 1);
}

#[tokio::test]
async fn a_server_that_shuts_down_finishes_its_streams() {
    let stub = stub();
    stub.server.inject(FaultKind::Stall);
    let open = stub.post("/generate_stream", ask(5)).await;
    let address = stub.server.address();
    stub.server.clear_faults();
    let told = tokio::spawn(events(open));
    stub.server.shutdown().await;
    assert_eq!(told.await.unwrap().len(), 5);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_killed_server_leaves_its_streams_truncated() {
    let stub = stub_with(Options {
        speed: 1.0,
        ..timed()
    });
    let mut open = stub
        .request("/generate_stream", &ask(5_000))
        .header("x-sim-out", "5000")
        .send()
        .await
        .unwrap();
    open.chunk().await.unwrap();
    stub.server.kill();
    let end = loop {
        match open.chunk().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert!(end.is_err(), "the stream ended as if it were complete");
}

#[test]
fn options_that_make_no_sense_are_refused_with_their_reason() {
    let refused = |options| {
        Server::start(options)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let remote = Options {
        host: [0, 0, 0, 0].into(),
        ..Options::default()
    };
    assert!(refused(remote).contains("host 0.0.0.0 can be reached from outside"));
    let still = Options {
        speed: 0.0,
        ..Options::default()
    };
    assert_eq!(
        refused(still),
        "speed must be a number greater than 0, got 0"
    );
    let mut large = Options::default();
    large.limits.max_total_tokens = 40_000;
    assert_eq!(
        refused(large),
        "max_total_tokens 40000 does not fit the card, which holds 30000 tokens"
    );
}
