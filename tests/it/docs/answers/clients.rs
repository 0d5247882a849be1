//! What clients send and get, as docs/API.md shows it.

use headworks_tests::{Guest, ModelServer, TestProxy, until};
use serde_json::{Value, json};

use super::block;
use super::shape::assert_alike;
use crate::support::{WAITING, ask, chat};

pub(super) const REQUEST: &str = "POST /v1/generate\n";
pub(super) const ANSWER: &str = r#"{"generated_text": "...""#;
pub(super) const TGI_ERROR: &str = r#"{"error": "the queue"#;
pub(super) const OPENAI_ERROR: &str = r#"{"error": {"message": "the queue"#;
pub(super) const DECISION: &str = "x-headworks-decision: ";
pub(super) const MODELS: &str = r#"{"object": "list""#;

fn shown(begins: &str) -> Value {
    serde_json::from_str(&block("docs/API.md", begins).text).unwrap()
}

#[tokio::test]
async fn the_request_of_the_unified_api_gets_the_answer_that_is_shown() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let request = block("docs/API.md", REQUEST).text;
    let (head, body) = request.split_once("\n\n").unwrap();
    assert_eq!(head, "POST /v1/generate\ncontent-type: application/json");
    let body = serde_json::from_str(body).unwrap();
    let answer = proxy.post("/v1/generate", body).await;
    assert_eq!(answer.status(), 200);
    assert_alike(&shown(ANSWER), &answer.json().await.unwrap());
}

#[tokio::test]
async fn a_full_queue_is_told_as_shown() {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let shaper = Guest::builtin("load-shaper").settings(json!({"max_in_flight": 1}));
    let proxy = TestProxy::to(&qwen).filter(shaper);
    let proxy = proxy.set("pools.qwen2.queue.depth", 1).start().await;
    let _first = proxy.stream(1000).await;
    let waiting = tokio::spawn(proxy.request("/generate", &ask(2)).send());
    proxy.wait_for_metric(WAITING, 1.0).await;
    let tgi = proxy.post("/generate", ask(2)).await;
    let openai = proxy.post("/v1/chat/completions", chat("qwen2")).await;
    assert_eq!(
        (tgi.status().as_u16(), openai.status().as_u16()),
        (503, 503)
    );
    assert_eq!(tgi.json::<Value>().await.unwrap(), shown(TGI_ERROR));
    assert_eq!(openai.json::<Value>().await.unwrap(), shown(OPENAI_ERROR));
    waiting.abort();
}

#[tokio::test]
async fn a_decision_has_the_members_that_are_shown() {
    let qwen = ModelServer::named("qwen2");
    let shaper = Guest::builtin("load-shaper").settings(json!({"p99": "30s"}));
    let proxy = TestProxy::to(&qwen).filter(shaper).start().await;
    let told = until("something is predicted", async || {
        // Nothing is, of an endpoint that has answered nothing yet.
        let request = proxy.request("/generate", &ask(24));
        let answer = request.header("x-headworks-decision", "1").send();
        let answer = answer.await.unwrap();
        let told = answer.headers()["x-headworks-decision"].to_str().unwrap();
        told.contains("predicted-ms=").then(|| told.to_owned())
    });
    let told = told.await;
    let shown = block("docs/API.md", DECISION).text;
    let shown = shown.strip_prefix(DECISION).unwrap();
    assert_eq!(members(shown), members(&told), "{told}");
}

fn members(dictionary: &str) -> Vec<&str> {
    let members = dictionary.split(", ");
    let names = members.filter_map(|member| Some(member.split_once('=')?.0));
    names.collect()
}

#[tokio::test]
async fn models_are_listed_as_shown() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let answer: Value = proxy.get("/v1/models").await.json().await.unwrap();
    assert_eq!(answer, shown(MODELS));
}
