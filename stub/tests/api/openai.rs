use serde_json::{Value, json};

use crate::support::{ask, events, payloads, stub};

fn chat(tokens: u32) -> Value {
    json!({"messages": [{"role": "user", "content": "What is a river?"}], "max_tokens": tokens, "model": "tgi"})
}

#[tokio::test]
async fn a_chat_stream_tells_the_same_text_as_the_whole_answer() {
    let stub = stub();
    let whole: Value = stub
        .post("/v1/chat/completions", chat(300))
        .await
        .json()
        .await
        .unwrap();
    let mut body = chat(300);
    body["stream"] = true.into();
    body["stream_options"] = json!({"include_usage": true});
    let payloads = payloads(stub.post("/v1/chat/completions", body).await).await;
    assert_eq!(payloads.last().unwrap(), "[DONE]");
    let events: Vec<Value> = payloads[..payloads.len() - 1]
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    let (usage, chunks) = events.split_last().unwrap();
    let told: String = chunks
        .iter()
        .map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().unwrap())
        .collect();
    assert_eq!(whole["choices"][0]["message"]["content"], told.as_str());
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"], whole["usage"]);
    assert_eq!(usage["usage"]["completion_tokens"], chunks.len());
    assert_eq!(
        chunks.last().unwrap()["choices"][0]["finish_reason"],
        whole["choices"][0]["finish_reason"]
    );
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk["usage"].is_null() && chunk["model"] == "qwen2")
    );
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk["choices"][0]["delta"]["role"] == "assistant")
    );
}

#[tokio::test]
async fn a_refused_chat_stream_is_a_422_event_and_then_done() {
    let mut body = chat(5);
    body["stream"] = true.into();
    body["top_p"] = json!(1.0);
    let payloads = payloads(stub().post("/v1/chat/completions", body).await).await;
    let error: Value = serde_json::from_str(&payloads[0]).unwrap();
    assert_eq!(error["error"]["http_status_code"], 422);
    assert_eq!(
        error["error"]["message"],
        "Input validation error: `top_p` must be > 0.0 and < 1.0"
    );
    assert_eq!(payloads[1..], ["[DONE]"]);
}

#[tokio::test]
async fn a_refused_whole_chat_is_flat() {
    let mut body = chat(0);
    body["model"] = "qwen2-lora".into();
    let response = stub().post("/v1/chat/completions", body).await;
    assert_eq!(response.status(), 422);
    assert_eq!(
        response.json::<Value>().await.unwrap()["error_type"],
        "validation"
    );
}

#[tokio::test]
async fn a_chat_takes_parts_greed_and_log_probabilities() {
    let body = json!({
        "model": "my-adapter",
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:,"}}]}],
        "temperature": 0, "max_completion_tokens": 3, "logprobs": true, "top_logprobs": 2,
    });
    let stub = stub();
    let answer: Value = stub
        .post("/v1/chat/completions", body.clone())
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(answer["model"], "my-adapter");
    assert_eq!(answer["usage"]["completion_tokens"], 3);
    let logprobs = answer["choices"][0]["logprobs"]["content"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(logprobs[0]["top_logprobs"].as_array().unwrap().len(), 2);
    let mut body = body;
    body["stream"] = true.into();
    let chunks = events(stub.post("/v1/chat/completions", body).await).await;
    assert_eq!(
        chunks[0]["choices"][0]["logprobs"]["content"][0],
        logprobs[0]
    );
}

#[tokio::test]
async fn a_bare_stop_string_is_refused_as_text() {
    let mut body = chat(5);
    body["stop"] = "x".into();
    let response = stub().post("/v1/chat/completions", body).await;
    assert_eq!(response.status(), 422);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .starts_with("Failed to deserialize")
    );
}

#[tokio::test]
async fn completions_of_several_prompts_stream_by_index() {
    let stub = stub();
    let mut body = json!({"prompt": ["one", "two"], "max_tokens": 6, "seed": 1});
    let whole: Value = stub
        .post("/v1/completions", body.clone())
        .await
        .json()
        .await
        .unwrap();
    body["stream"] = true.into();
    let chunks = events(stub.post("/v1/completions", body).await).await;
    for (index, choice) in whole["choices"].as_array().unwrap().iter().enumerate() {
        let told: String = chunks
            .iter()
            .map(|chunk| &chunk["choices"][0])
            .filter(|choice| choice["index"] == index)
            .map(|choice| choice["text"].as_str().unwrap())
            .collect();
        assert_eq!(choice["text"], told.as_str());
    }
    assert_eq!(chunks.len(), 12);
    let last = chunks.last().unwrap();
    assert_eq!(
        (
            &last["choices"][0]["finish_reason"],
            &last["usage"]["completion_tokens"]
        ),
        (&json!("length"), &json!(6))
    );
    assert_eq!(whole["usage"]["completion_tokens"], 12);
}

#[tokio::test]
async fn completions_know_no_suffix_and_few_prompts() {
    let stub = stub();
    let suffix = stub
        .post(
            "/v1/completions",
            json!({"prompt": "a", "suffix": "b", "stream": true}),
        )
        .await;
    assert_eq!(suffix.status(), 422);
    assert_eq!(
        suffix.json::<Value>().await.unwrap()["error_type"],
        "suffix not supported"
    );
    let many = stub
        .post(
            "/v1/completions",
            json!({"prompt": ["a", "b", "c", "d", "e"]}),
        )
        .await;
    assert_eq!(
        many.json::<Value>().await.unwrap()["error_type"],
        "batch size exceeded"
    );
}

#[tokio::test]
async fn invocations_tell_requests_apart_by_their_fields() {
    let stub = stub();
    let tgi: Value = stub
        .post("/invocations", ask(3))
        .await
        .json()
        .await
        .unwrap();
    let chat: Value = stub
        .post("/invocations", chat(3))
        .await
        .json()
        .await
        .unwrap();
    let completion: Value = stub
        .post("/invocations", json!({"prompt": "a"}))
        .await
        .json()
        .await
        .unwrap();
    assert!(tgi[0]["generated_text"].is_string());
    assert_eq!(
        (&chat["object"], &completion["object"]),
        (&json!("chat.completion"), &json!("text_completion"))
    );
}

#[tokio::test]
async fn a_chat_is_templated_for_tokenizing() {
    let answer: Value = stub()
        .post("/chat_tokenize", chat(3))
        .await
        .json()
        .await
        .unwrap();
    let text = answer["templated_text"].as_str().unwrap();
    assert!(text.contains("What is a river?"));
    assert_eq!(
        answer["tokenize_response"].as_array().unwrap().len(),
        text.len().div_ceil(4)
    );
}
