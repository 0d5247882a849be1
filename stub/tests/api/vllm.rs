//! The dialect of vLLM's OpenAI server.

use headworks_stub::{Dialect, Options};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Stub, ask, stub, stub_with};

fn vllm() -> Stub {
    stub_with(Options {
        dialect: Dialect::OpenAi,
        ..Options::named("qwen2")
    })
}

fn completion(prompt: &str, tokens: u32) -> Value {
    json!({"model": "qwen2", "prompt": prompt, "max_tokens": tokens, "seed": 5})
}

fn chat(tokens: u32) -> Value {
    json!({"model": "qwen2", "messages": [{"role": "user", "content": "What is a river?"}], "max_tokens": tokens})
}

async fn answer(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn chunks(stub: &Stub, path: &str, mut body: Value) -> Vec<Value> {
    body["stream"] = true.into();
    let response = stub.post(path, body).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    let text = response.text().await.unwrap();
    let chunks = text.strip_suffix("data: [DONE]\n\n").unwrap();
    let chunks = chunks.strip_suffix("\n\n").unwrap().split("\n\n");
    chunks
        .map(|chunk| serde_json::from_str(chunk.strip_prefix("data: ").unwrap()).unwrap())
        .collect()
}

async fn refused(response: Response, status: u16, kind: &str, param: Option<&str>) -> String {
    assert_eq!(response.status(), status);
    let body: Value = response.json().await.unwrap();
    let error = &body["error"];
    assert_eq!(
        (&error["type"], &error["code"], &error["param"]),
        (&json!(kind), &json!(status), &json!(param))
    );
    error["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_says_what_tgi_says() {
    let (tgi, vllm) = (stub(), vllm());
    for prompt in ["one", "ein Gedicht über Zürich", "五つの川"] {
        let theirs: Value = tgi
            .post("/generate", json!({"inputs": prompt, "parameters": {"max_new_tokens": 300, "seed": 5, "details": true}}))
            .await
            .json()
            .await
            .unwrap();
        let ours = answer(vllm.post("/v1/completions", completion(prompt, 300)).await).await;
        assert_eq!(ours["choices"][0]["text"], theirs["generated_text"]);
        assert_eq!(
            ours["usage"]["completion_tokens"],
            theirs["details"]["generated_tokens"]
        );
    }
    let theirs = answer(tgi.post("/v1/chat/completions", chat(40)).await).await;
    let ours = answer(vllm.post("/v1/chat/completions", chat(40)).await).await;
    assert_eq!(
        ours["choices"][0]["message"],
        theirs["choices"][0]["message"]
    );
    assert_eq!(ours["usage"], theirs["usage"]);
}

#[tokio::test]
async fn a_chat_stream_begins_with_the_role_and_ends_with_the_usage() {
    let vllm = vllm();
    let whole = answer(vllm.post("/v1/chat/completions", chat(300)).await).await;
    let mut body = chat(300);
    body["stream_options"] = json!({"include_usage": true});
    let mut chunks = chunks(&vllm, "/v1/chat/completions", body).await;
    let usage = chunks.pop().unwrap();
    assert_eq!(
        (&usage["choices"], &usage["usage"]),
        (&json!([]), &whole["usage"])
    );
    let first = &chunks[0]["choices"][0];
    assert_eq!(first["delta"], json!({"role": "assistant", "content": ""}));
    assert!(first.get("stop_reason").is_none());
    let told: String = chunks
        .iter()
        .map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().unwrap())
        .collect();
    assert_eq!(whole["choices"][0]["message"]["content"], told.as_str());
    let last = &chunks.last().unwrap()["choices"][0];
    assert_eq!(last["finish_reason"], whole["choices"][0]["finish_reason"]);
    assert_eq!(last["stop_reason"], Value::Null);
    let id = chunks[0]["id"].as_str().unwrap();
    assert!(id.starts_with("chatcmpl-") && id != whole["id"]);
    assert!(chunks.iter().all(|chunk| {
        chunk["id"] == id
            && chunk["object"] == "chat.completion.chunk"
            && chunk["model"] == "qwen2"
            && chunk.get("usage").is_none()
    }));
}

#[tokio::test]
async fn completions_stream_by_index_and_have_a_short_default_cap() {
    let vllm = vllm();
    let body = json!({"prompt": ["one", "two"], "seed": 1, "n": 2});
    let whole = answer(vllm.post("/v1/completions", body.clone()).await).await;
    assert_eq!(whole["choices"].as_array().unwrap().len(), 4);
    assert_eq!(whole["usage"]["completion_tokens"], 64);
    assert_eq!(whole["usage"]["prompt_tokens"], 2);
    let chunks = chunks(&vllm, "/v1/completions", body).await;
    for choice in whole["choices"].as_array().unwrap() {
        let told: Vec<_> = chunks
            .iter()
            .map(|chunk| &chunk["choices"][0])
            .filter(|told| told["index"] == choice["index"])
            .collect();
        let text: String = told
            .iter()
            .map(|told| told["text"].as_str().unwrap())
            .collect();
        assert_eq!(choice["text"], text.as_str());
        assert_eq!(told[0]["finish_reason"], Value::Null);
        assert_eq!(told.last().unwrap()["finish_reason"], "length");
    }
    assert!(chunks.iter().all(|chunk| chunk["usage"].is_null()));
}

#[tokio::test]
async fn a_stop_string_is_cut_off_and_named() {
    let vllm = vllm();
    let whole = answer(vllm.post("/v1/completions", completion("one", 50)).await).await;
    let text = whole["choices"][0]["text"].as_str().unwrap();
    let word = text.split(' ').nth(3).unwrap();
    let before = &text[..text.find(word).unwrap()];
    for (stop, keep, expected) in [
        (json!(word), false, before.to_owned()),
        (json!([word]), true, before.to_owned() + word),
    ] {
        let mut body = completion("one", 50);
        body["stop"] = stop;
        body["include_stop_str_in_output"] = keep.into();
        let stopped = answer(vllm.post("/v1/completions", body.clone()).await).await;
        let choice = &stopped["choices"][0];
        assert_eq!(choice["text"], expected.as_str());
        assert_eq!(
            (&choice["finish_reason"], &choice["stop_reason"]),
            (&json!("stop"), &json!(word))
        );
        let chunks = chunks(&vllm, "/v1/completions", body).await;
        let told: String = chunks
            .iter()
            .map(|chunk| chunk["choices"][0]["text"].as_str().unwrap())
            .collect();
        assert_eq!(told, expected);
        assert_eq!(chunks.last().unwrap()["choices"][0]["stop_reason"], word);
    }
}

#[tokio::test]
async fn log_probabilities_are_the_same_whole_and_in_chunks() {
    let vllm = vllm();
    let mut body = completion("one", 4);
    body["logprobs"] = 1.into();
    let whole = answer(vllm.post("/v1/completions", body.clone()).await).await;
    let listed = &whole["choices"][0]["logprobs"];
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 4);
    let chunks = chunks(&vllm, "/v1/completions", body).await;
    for (index, chunk) in chunks.iter().enumerate() {
        let told = &chunk["choices"][0]["logprobs"];
        for part in ["tokens", "token_logprobs", "text_offset", "top_logprobs"] {
            assert_eq!(told[part][0], listed[part][index], "{part}");
        }
    }
    let mut body = chat(3);
    body["logprobs"] = true.into();
    body["top_logprobs"] = 2.into();
    let whole = answer(vllm.post("/v1/chat/completions", body).await).await;
    let entry = &whole["choices"][0]["logprobs"]["content"][0];
    assert_eq!(entry["top_logprobs"].as_array().unwrap().len(), 2);
    assert_eq!(entry["bytes"][0], b'[');
}

#[tokio::test]
async fn refusals_have_their_status_on_streams_too() {
    let vllm = vllm();
    let refuse = async |change: Value, status, kind, param| {
        let mut body = completion("one", 5);
        let members = change.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(members);
        body["stream"] = true.into();
        refused(
            vllm.post("/v1/completions", body).await,
            status,
            kind,
            param,
        )
        .await
    };
    let message = refuse(
        json!({"model": "gpt-4"}),
        404,
        "NotFoundError",
        Some("model"),
    )
    .await;
    assert_eq!(message, "The model `gpt-4` does not exist.");
    let message = refuse(json!({"top_p": 1.5}), 400, "BadRequestError", None).await;
    assert_eq!(message, "top_p must be in (0, 1], got 1.5.");
    refuse(json!({"temperature": -1}), 400, "BadRequestError", None).await;
    refuse(json!({"max_tokens": 0}), 400, "BadRequestError", None).await;
    refuse(json!({"prompt": ""}), 400, "BadRequestError", None).await;
    refuse(json!({"prompt": 7}), 400, "Bad Request", None).await;
    refuse(
        json!({"max_tokens": 9_000}),
        400,
        "BadRequestError",
        Some("max_tokens"),
    )
    .await;
    let long = "abcd".repeat(8_192);
    let message = refuse(
        json!({"prompt": long}),
        400,
        "BadRequestError",
        Some("input_tokens"),
    )
    .await;
    assert!(message.starts_with("This model's maximum context length is 8192 tokens."));
    assert_eq!(vllm.server.stats().refused, 7);
}

#[tokio::test]
async fn what_tgi_refuses_is_taken() {
    let vllm = vllm();
    for change in [
        json!({"temperature": 0}),
        json!({"top_p": 1.0}),
        json!({"stop": ["a", "b", "c", "d", "e"]}),
        json!({"top_k": -1, "unknown": {"a": 1}}),
    ] {
        let mut body = completion("one", 5);
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        answer(vllm.post("/v1/completions", body).await).await;
    }
}

#[tokio::test]
async fn more_requests_than_slots_wait() {
    let mut options = Options::named("qwen2");
    options.dialect = Dialect::OpenAi;
    options.limits.max_concurrent_requests = 1;
    let vllm = stub_with(options);
    vllm.inject(json!({"kind": "stall"})).await;
    let asked = async || {
        vllm.post("/v1/completions", completion("one", 3))
            .await
            .status()
    };
    let free = async {
        vllm.until(|stats| stats.queued + stats.running == 3).await;
        let page = vllm.get("/metrics").await.text().await.unwrap();
        vllm.clear_faults().await;
        page
    };
    let (first, second, third, page) = tokio::join!(asked(), asked(), asked(), free);
    assert_eq!(
        [first, second, third].map(|status| status.as_u16()),
        [200; 3]
    );
    assert!(page.contains("vllm:num_requests_waiting{model_name=\"qwen2\",engine=\"0\"}"));
}

#[tokio::test]
async fn faults_are_told_in_its_form() {
    let vllm = vllm();
    vllm.inject(json!({"kind": "refuse", "times": 1})).await;
    let response = vllm.post("/v1/completions", completion("one", 5)).await;
    refused(response, 429, "Too Many Requests", None).await;
    vllm.inject(json!({"kind": "error_event", "tokens": 2, "times": 2}))
        .await;
    let response = vllm.post("/v1/completions", completion("one", 5)).await;
    refused(response, 500, "InternalServerError", None).await;
    let mut body = completion("one", 5);
    body["stream_options"] = json!({"include_usage": true});
    let chunks = chunks(&vllm, "/v1/completions", body).await;
    assert_eq!(chunks.len(), 3);
    assert_eq!(chunks[2]["error"]["code"], 500);
    vllm.inject(json!({"kind": "unhealthy"})).await;
    assert_eq!(vllm.get("/health").await.status(), 503);
}

#[tokio::test]
async fn it_tells_of_itself_in_its_own_way() {
    let vllm = vllm();
    let health = vllm.get("/health").await;
    assert_eq!(
        (
            health.status().as_u16(),
            health.text().await.unwrap().as_str()
        ),
        (200, "")
    );
    let models = answer(vllm.get("/v1/models").await).await;
    assert_eq!(
        (
            &models["data"][0]["id"],
            &models["data"][0]["max_model_len"]
        ),
        (&json!("qwen2"), &json!(8192))
    );
    assert!(answer(vllm.get("/version").await).await["version"].is_string());
    let counted = answer(
        vllm.post("/tokenize", json!({"prompt": "What is a river?"}))
            .await,
    )
    .await;
    assert_eq!(
        (&counted["count"], &counted["max_model_len"]),
        (&json!(4), &json!(8192))
    );
    assert_eq!(counted["tokens"].as_array().unwrap().len(), 4);
    vllm.post("/v1/completions", completion("one", 5)).await;
    let page = vllm.get("/metrics").await.text().await.unwrap();
    for line in [
        "vllm:num_requests_running{model_name=\"qwen2\",engine=\"0\"} 0",
        "vllm:request_success_total{model_name=\"qwen2\",engine=\"0\",finished_reason=\"length\"} 1",
        "vllm:request_generation_tokens_sum{model_name=\"qwen2\",engine=\"0\"} 5",
    ] {
        assert!(
            page.lines().any(|found| found == line),
            "no `{line}` in\n{page}"
        );
    }
    assert!(!page.contains("tgi_"));
}

#[tokio::test]
async fn it_has_none_of_tgis_routes_and_headers() {
    let vllm = vllm();
    for path in [
        "/generate",
        "/generate_stream",
        "/",
        "/invocations",
        "/chat_tokenize",
    ] {
        let missing = vllm.post(path, ask(3)).await;
        assert_eq!(missing.status(), 404, "{path}");
        assert_eq!(
            missing.json::<Value>().await.unwrap(),
            json!({"detail": "Not Found"})
        );
    }
    assert_eq!(vllm.get("/info").await.status(), 404);
    let wrong = vllm.get("/v1/completions").await;
    assert_eq!(wrong.status(), 405);
    let told = vllm.post("/v1/completions", completion("one", 5)).await;
    assert!(
        !told
            .headers()
            .keys()
            .any(|name| name.as_str().starts_with("x-"))
    );
}

#[tokio::test]
async fn its_key_guards_all_below_v1() {
    let vllm = stub_with(Options {
        dialect: Dialect::OpenAi,
        api_key: Some("s3cret".to_owned()),
        ..Options::default()
    });
    let refused = vllm.get("/v1/models").await;
    assert_eq!(refused.status(), 401);
    assert_eq!(
        refused.json::<Value>().await.unwrap(),
        json!({"error": "Unauthorized"})
    );
    assert_eq!(vllm.get("/health").await.status(), 200);
}
