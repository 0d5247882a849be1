//! What several modules need.

use reqwest::Response;
use serde_json::{Value, json};

/// How many requests the gateway serves.
pub(crate) const RUNNING: &str = "headworks_gateway_in_flight";

/// How many requests wait for a place in the pool `qwen2`.
pub(crate) const WAITING: &str = "headworks_gateway_waiting{pool=\"qwen2\"}";

/// A request to TGI's own routes for so many tokens.
pub(crate) fn ask(tokens: u32) -> Value {
    json!({"inputs": "What is a river?", "parameters": {"max_new_tokens": tokens}})
}

/// A chat with a model.
pub(crate) fn chat(model: &str) -> Value {
    let messages = json!([{"role": "user", "content": "What is a river?"}]);
    json!({"model": model, "messages": messages, "max_tokens": 8})
}

/// A request of the unified API for a model.
pub(crate) fn unified(model: &str) -> Value {
    let mut body = ask(8);
    body["model_id"] = model.into();
    body
}

/// The bytes of a POST.
pub(crate) fn post(path: &str, body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Status, code and message of an error in TGI's dialect.
pub(crate) async fn tgi_error(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    let member = |name| string(&body[name]);
    (status, member("error_type"), member("error"))
}

/// Status, code and message of an error in OpenAI's dialect.
pub(crate) async fn openai_error(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    let error = &body["error"];
    assert!(error["type"].is_string(), "{body}");
    (status, string(&error["code"]), string(&error["message"]))
}

fn string(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// Who said a TGI answer.
pub(crate) async fn model_of(response: Response) -> String {
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.unwrap();
    let text = string(&body["generated_text"]);
    let (name, _) = text.split_once(']').unwrap();
    name.trim_start_matches('[').to_owned()
}

/// Whether the tests run at the size that the acceptance asks for, and not at
/// one that suits every change.
pub(crate) fn full() -> bool {
    std::env::var_os("HEADWORKS_FULL").is_some_and(|value| value != "0")
}
