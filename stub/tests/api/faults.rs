use serde_json::{Value, json};

use crate::support::{ask, events, payloads, stub};

#[tokio::test]
async fn a_status_fault_answers_before_anything_else_and_is_used_up() {
    let stub = stub();
    stub.inject(json!({"kind": "status", "status": 503, "times": 1}))
        .await;
    assert_eq!(stub.post("/generate_stream", ask(3)).await.status(), 503);
    assert_eq!(stub.post("/generate_stream", ask(3)).await.status(), 200);
    assert_eq!(stub.server.stats().faulted, 1);
}

#[tokio::test]
async fn a_refusal_looks_like_overload() {
    let stub = stub();
    stub.inject(json!({"kind": "refuse", "times": 2})).await;
    assert_eq!(stub.post("/generate", ask(3)).await.status(), 429);
    let events = events(stub.post("/generate_stream", ask(3)).await).await;
    assert_eq!(events[0]["error_type"], "overloaded");
}

#[tokio::test]
async fn a_reset_before_the_answer_gives_no_answer() {
    let stub = stub();
    stub.inject(json!({"kind": "reset_before"})).await;
    assert!(stub.request("/generate", &ask(3)).send().await.is_err());
    stub.clear_faults().await;
    assert_eq!(stub.post("/generate", ask(3)).await.status(), 200);
}

#[tokio::test]
async fn a_reset_in_a_stream_comes_after_its_first_tokens() {
    let stub = stub();
    stub.inject(json!({"kind": "reset_after", "tokens": 2}))
        .await;
    let mut response = stub.post("/generate_stream", ask(10)).await;
    let mut received = Vec::new();
    let broken = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => received.extend_from_slice(&chunk),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken, "the stream ended as if it were complete");
    // A reset may drop what the client has not read yet, but never shows more.
    let text = String::from_utf8(received).unwrap();
    assert!(text.matches("\"index\"").count() <= 2, "{text}");
}

#[tokio::test]
async fn a_reset_tears_a_whole_answer() {
    let stub = stub();
    stub.inject(json!({"kind": "reset_after"})).await;
    let answer = stub.request("/generate", &ask(10)).send().await;
    // The head may have come through; the body cannot.
    if let Ok(response) = answer {
        assert!(response.text().await.is_err());
    }
}

#[tokio::test]
async fn a_failure_in_a_stream_is_an_error_event_inside_a_200() {
    let stub = stub();
    stub.inject(json!({"kind": "error_event", "tokens": 2}))
        .await;
    let events = events(stub.post("/generate_stream", ask(10)).await).await;
    assert_eq!(events.len(), 3);
    assert_eq!(
        events[2],
        json!({"error": "Request failed during generation: injected fault", "error_type": "generation"})
    );
    assert_eq!(stub.post("/generate", ask(10)).await.status(), 424);
}

#[tokio::test]
async fn a_failure_in_a_chat_stream_is_followed_by_done() {
    let stub = stub();
    stub.inject(json!({"kind": "error_event", "tokens": 0}))
        .await;
    let body = json!({"messages": [{"role": "user", "content": "hi"}], "stream": true});
    let payloads = payloads(stub.post("/v1/chat/completions", body).await).await;
    assert!(payloads[0].contains("http_status_code"), "{payloads:?}");
    assert_eq!(payloads[1..], ["[DONE]"]);
}

#[tokio::test]
async fn garbage_in_a_stream_is_one_event_and_in_a_whole_answer_half_of_it() {
    let stub = stub();
    stub.inject(json!({"kind": "garbage", "tokens": 1})).await;
    let bytes = stub
        .post("/generate_stream", ask(4))
        .await
        .bytes()
        .await
        .unwrap();
    let events: Vec<_> = String::from_utf8_lossy(&bytes)
        .split_terminator("\n\n")
        .map(str::to_owned)
        .collect();
    assert_eq!(events.len(), 5);
    assert!(serde_json::from_str::<Value>(&events[1]["data: ".len()..]).is_err());
    assert!(
        stub.post("/generate", ask(4))
            .await
            .json::<Value>()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_stall_holds_answers_until_it_is_cleared() {
    let stub = stub();
    stub.inject(json!({"kind": "stall"})).await;
    let answer = tokio::spawn(stub.request("/generate", &ask(5)).send());
    stub.until(|stats| stats.queued == 1).await;
    assert_eq!(stub.server.stats().tokens, 0);
    stub.clear_faults().await;
    assert_eq!(answer.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_stall_that_ends_by_itself_lets_answers_go_on() {
    let stub = stub();
    stub.inject(json!({"kind": "stall", "for_ms": 30})).await;
    assert_eq!(
        events(stub.post("/generate_stream", ask(5)).await)
            .await
            .len(),
        5
    );
    assert_eq!(stub.get("/health").await.status(), 200);
}

#[tokio::test]
async fn frozen_metrics_stay_as_they_were() {
    let stub = stub();
    stub.post("/generate", ask(3)).await;
    let before = stub.get("/metrics").await.text().await.unwrap();
    stub.inject(json!({"kind": "freeze_metrics"})).await;
    stub.post("/generate", ask(3)).await;
    assert_eq!(stub.get("/metrics").await.text().await.unwrap(), before);
    stub.clear_faults().await;
    assert_ne!(stub.get("/metrics").await.text().await.unwrap(), before);
}

#[tokio::test]
async fn an_unhealthy_server_says_so() {
    let stub = stub();
    stub.inject(json!({"kind": "unhealthy"})).await;
    let response = stub.get("/health").await;
    assert_eq!(response.status(), 503);
    assert_eq!(
        response.json::<Value>().await.unwrap(),
        json!({"error": "unhealthy", "error_type": "healthcheck"})
    );
}

#[tokio::test]
async fn a_fault_that_makes_no_sense_is_refused_and_changes_nothing() {
    let stub = stub();
    let response = stub
        .post(
            "/_fault",
            json!([{"kind": "refuse"}, {"kind": "slow", "factor": -1}]),
        )
        .await;
    assert_eq!(response.status(), 422);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("`factor` must be greater than 0")
    );
    let list: Value = stub.get("/_fault").await.json().await.unwrap();
    assert_eq!(list, json!([]));
}
