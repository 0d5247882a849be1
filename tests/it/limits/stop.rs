//! A stream whose budget is used up ends as if it had been asked to.

use std::time::Instant;

use headworks_tests::{ModelServer, TestProxy, Told, until};
use serde_json::{Value, json};

use super::limits;
use crate::support::ask;

/// Tokens a day, which a stream of more has to stop at.
const BUDGET: u64 = 100;

async fn stopping(model: &ModelServer) -> TestProxy {
    let budgets = json!([{"name": "day", "tokens": BUDGET, "per": "day"}]);
    TestProxy::to(model).filter(limits(&budgets)).start().await
}

/// Reads the end of a stream, and checks that the upstream stopped too.
async fn told(proxy: &TestProxy, model: &ModelServer, path: &str, body: &Value) -> Vec<String> {
    let request = proxy.request(path, body).header("x-sim-out", "1000");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let told = Told::by(answer).await;
    assert_eq!(told.broke, None);
    let ended = Instant::now();
    model.until("it stops", |stats| stats.open == 0).await;
    let stats = model.stats();
    let used = stats.told_prompts + stats.told_tokens;
    eprintln!(
        "{path}: {used} of {BUDGET} used, the upstream stopped {:?} after the client saw the end",
        ended.elapsed()
    );
    assert!(used <= BUDGET + 16, "{used} used of {BUDGET}");
    // The prompt is estimated before its upstream counts it.
    assert!(used + 4 >= BUDGET, "{used} used of {BUDGET}");
    let stopped = "headworks_limits_stopped_streams_total";
    proxy.wait_for_metric(stopped, 1.0).await;
    told.payloads
}

#[tokio::test]
async fn in_tgis_dialect() {
    let model = ModelServer::paced("qwen2", 4.0);
    let proxy = stopping(&model).await;
    // What answers are long is learned from those before; here are none.
    let body = json!({"inputs": "What is a river?", "parameters": {"max_new_tokens": 1000, "details": true}});
    let payloads = told(&proxy, &model, "/generate_stream", &body).await;
    let events: Vec<Value> = payloads
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    let (last, tokens) = events.split_last().unwrap();
    let text: String = tokens
        .iter()
        .map(|event| event["token"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(last["generated_text"], text);
    assert_eq!(last["details"]["finish_reason"], "length");
    assert_eq!(last["details"]["generated_tokens"], tokens.len());
    assert!(tokens.iter().all(|event| event["generated_text"].is_null()));
}

#[tokio::test]
async fn in_openais_dialect() {
    let model = ModelServer::paced("qwen2", 4.0);
    let proxy = stopping(&model).await;
    let body = json!({"model": "qwen2", "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 1000, "stream": true, "stream_options": {"include_usage": true}});
    let mut payloads = told(&proxy, &model, "/v1/chat/completions", &body).await;
    assert_eq!(payloads.pop().as_deref(), Some("[DONE]"));
    let usage: Value = serde_json::from_str(&payloads.pop().unwrap()).unwrap();
    let last: Value = serde_json::from_str(&payloads.pop().unwrap()).unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "length");
    assert_eq!(usage["usage"]["completion_tokens"], payloads.len());
    assert_eq!((&usage["id"], &usage["choices"]), (&last["id"], &json!([])));
}

#[tokio::test]
async fn one_that_has_room_is_left_alone() {
    let model = ModelServer::named("qwen2");
    let budgets = json!([{"name": "minute", "tokens": 100_000, "per": "minute"}]);
    let proxy = TestProxy::to(&model).filter(limits(&budgets)).start().await;
    let direct = TestProxy::to(&model).start().await;
    let mut whole = Vec::new();
    for proxy in [&direct, &proxy] {
        let request = proxy
            .request("/generate_stream", &ask(300))
            .header("x-sim-out", "300");
        whole.push(Told::by(request.send().await.unwrap()).await.payloads);
    }
    assert_eq!(whole[0], whole[1]);
    until("it is settled", async || {
        let answer = proxy.post("/generate", ask(1)).await;
        let left = answer.headers()["x-ratelimit-remaining-tokens"]
            .to_str()
            .unwrap();
        (left.parse::<u64>().unwrap() > 9_000).then_some(())
    })
    .await;
}
