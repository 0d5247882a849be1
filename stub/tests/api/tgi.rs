use headworks_stub::Options;
use serde_json::{Value, json};

use crate::support::{ask, events, payloads, stub, stub_with};

#[tokio::test]
async fn a_whole_answer_begins_with_the_model_and_carries_counts_in_its_headers() {
    let response = stub()
        .request("/generate", &ask(20))
        .header("x-sim-out", "20")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    for name in [
        "x-compute-time",
        "x-total-time",
        "x-validation-time",
        "x-queue-time",
        "x-inference-time",
    ] {
        assert!(response.headers().contains_key(name), "{name} is missing");
    }
    assert_eq!(response.headers()["x-compute-type"], "gpu+optimized");
    assert_eq!(response.headers()["x-compute-characters"], "16");
    assert_eq!(response.headers()["x-prompt-tokens"], "4");
    assert_eq!(response.headers()["x-generated-tokens"], "20");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let answer: Value = response.json().await.unwrap();
    assert!(
        answer["generated_text"]
            .as_str()
            .unwrap()
            .starts_with("[qwen2] "),
        "{answer}"
    );
    assert!(answer.get("details").is_none());
}

#[tokio::test]
async fn a_stream_tells_the_same_text_as_the_whole_answer() {
    let stub = stub();
    for prompt in ["one", "two", "three", "ein Gedicht über Zürich", "五つの川"] {
        let body = json!({"inputs": prompt, "parameters": {"max_new_tokens": 300, "details": true, "seed": 5}});
        let whole: Value = stub
            .post("/generate", body.clone())
            .await
            .json()
            .await
            .unwrap();
        let events = events(stub.post("/generate_stream", body).await).await;
        let told: String = events
            .iter()
            .filter(|event| event["token"]["special"] == false)
            .map(|event| event["token"]["text"].as_str().unwrap())
            .collect();
        let last = events.last().unwrap();
        assert_eq!(whole["generated_text"], told.as_str());
        assert_eq!(last["generated_text"], told.as_str());
        assert_eq!(last["details"]["generated_tokens"], events.len());
        assert_eq!(
            last["details"]["finish_reason"],
            whole["details"]["finish_reason"]
        );
        assert_eq!(
            whole["details"]["tokens"].as_array().unwrap().len(),
            events.len()
        );
        assert!(
            events
                .iter()
                .zip(1..)
                .all(|(event, index)| event["index"] == index)
        );
        assert!(
            events[..events.len() - 1]
                .iter()
                .all(|event| event["generated_text"].is_null())
        );
    }
}

#[tokio::test]
async fn a_stream_has_no_done_marker_and_no_token_headers() {
    let response = stub().post("/generate_stream", ask(3)).await;
    assert!(!response.headers().contains_key("x-prompt-tokens"));
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    assert_eq!(response.headers()["cache-control"], "no-cache");
    let payloads = payloads(response).await;
    assert_eq!(payloads.len(), 3);
    assert!(payloads[2].contains(r#""details":null"#));
}

#[tokio::test]
async fn an_answer_that_is_not_cut_ends_with_the_end_token() {
    let response = stub()
        .request("/generate_stream", &ask(50))
        .header("x-sim-out", "5")
        .send()
        .await
        .unwrap();
    let events = events(response).await;
    assert_eq!(events.len(), 5);
    assert_eq!(events[4]["token"]["special"], true);
    assert_eq!(events[4]["token"]["text"], "</s>");
    assert!(
        !events[4]["generated_text"]
            .as_str()
            .unwrap()
            .contains("</s>")
    );
}

#[tokio::test]
async fn the_root_answers_a_list_of_one_with_the_prompt_in_front() {
    let stub = stub();
    let answer: Value = stub.post("/", ask(3)).await.json().await.unwrap();
    assert!(
        answer[0]["generated_text"]
            .as_str()
            .unwrap()
            .starts_with("What is a river?[qwen2]"),
        "{answer}"
    );
    let mut body = ask(3);
    body["stream"] = true.into();
    let events = events(stub.post("/", body).await).await;
    assert_eq!(events[2]["generated_text"], answer[0]["generated_text"]);
}

#[tokio::test]
async fn an_invalid_request_is_a_422_and_an_event_inside_a_200_on_streams() {
    let stub = stub();
    let body = json!({"inputs": "hi", "parameters": {"top_p": 1.0}});
    let expected = json!({
        "error": "Input validation error: `top_p` must be > 0.0 and < 1.0",
        "error_type": "validation",
    });
    let response = stub.post("/generate", body.clone()).await;
    assert_eq!(response.status(), 422);
    assert_eq!(response.json::<Value>().await.unwrap(), expected);
    assert_eq!(
        events(stub.post("/generate_stream", body).await).await,
        [expected]
    );
    assert_eq!(stub.server.stats().refused, 2);
}

#[tokio::test]
async fn malformed_bodies_are_refused_as_plain_text() {
    let stub = stub();
    let request = |content_type: &'static str, body: &'static str| {
        stub.request("/generate_stream", &Value::Null)
            .header("content-type", content_type)
            .body(body)
            .send()
    };
    let wrong_field = stub.post("/generate", json!({"inputs": 7})).await;
    assert_eq!(wrong_field.status(), 422);
    assert!(
        wrong_field.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    assert_eq!(
        request("application/json", "{").await.unwrap().status(),
        400
    );
    assert_eq!(
        stub.post("/generate", json!({"inputs": "a".repeat(2_000_001)}))
            .await
            .status(),
        413
    );
}

#[tokio::test]
async fn another_content_type_is_a_415() {
    let stub = stub();
    let response = reqwest::Client::new()
        .post(stub.server.url() + "/generate")
        .body("inputs=hi")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 415);
}

#[tokio::test]
async fn more_requests_than_slots_are_overload_before_they_are_invalid() {
    let mut options = Options::named("qwen2");
    options.limits.max_concurrent_requests = 1;
    let stub = stub_with(options);
    stub.inject(json!({"kind": "stall"})).await;
    let open = stub.post("/generate_stream", ask(3)).await;
    let refused = stub.post("/generate", json!({"inputs": ""})).await;
    assert_eq!(refused.status(), 429);
    let expected = json!({"error": "Model is overloaded", "error_type": "overloaded"});
    assert_eq!(refused.json::<Value>().await.unwrap(), expected);
    assert_eq!(
        events(stub.post("/generate_stream", ask(3)).await).await,
        [expected]
    );
    stub.clear_faults().await;
    assert_eq!(events(open).await.len(), 3);
    assert_eq!(stub.post("/generate", ask(3)).await.status(), 200);
}

#[tokio::test]
async fn best_of_takes_a_slot_each_and_shows_the_others() {
    let stub = stub();
    let body = json!({"inputs": "hi", "parameters":
        {"best_of": 2, "do_sample": true, "details": true, "max_new_tokens": 20, "top_n_tokens": 2}});
    let answer: Value = stub.post("/generate", body).await.json().await.unwrap();
    let others = answer["details"]["best_of_sequences"].as_array().unwrap();
    assert_eq!(others.len(), 1);
    assert_ne!(others[0]["generated_text"], answer["generated_text"]);
    assert_eq!(
        answer["details"]["top_tokens"][0].as_array().unwrap().len(),
        2
    );
    assert_eq!(stub.server.stats().finished, 2);
}

#[tokio::test]
async fn a_stop_sequence_ends_an_answer() {
    let stub = stub();
    let whole: Value = stub.post("/generate", ask(50)).await.json().await.unwrap();
    let word = whole["generated_text"]
        .as_str()
        .unwrap()
        .split(' ')
        .nth(3)
        .unwrap()
        .to_owned();
    let body = json!({"inputs": "What is a river?",
        "parameters": {"max_new_tokens": 50, "stop": [word], "details": true}});
    let stopped: Value = stub.post("/generate", body).await.json().await.unwrap();
    assert_eq!(stopped["details"]["finish_reason"], "stop_sequence");
    assert!(stopped["generated_text"].as_str().unwrap().ends_with(&word));
}

#[tokio::test]
async fn prompts_are_tokenized_as_they_are_counted() {
    let stub = stub();
    let tokens: Value = stub
        .post("/tokenize", json!({"inputs": "What is a river?"}))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(tokens.as_array().unwrap().len(), 4);
    assert_eq!(tokens[1]["text"], " is ");
    assert_eq!(
        (&tokens[1]["start"], &tokens[1]["stop"]),
        (&json!(4), &json!(8))
    );
}

#[tokio::test]
async fn the_server_names_its_model_and_its_limits() {
    let stub = stub();
    let info: Value = stub.get("/info").await.json().await.unwrap();
    assert_eq!(info["model_id"], "qwen2");
    assert_eq!(info["max_concurrent_requests"], 128);
    assert_eq!(info["max_total_tokens"], 8192);
    let models: Value = stub.get("/v1/models").await.json().await.unwrap();
    assert_eq!(models["data"][0]["id"], "qwen2");
    for path in ["/", "/health", "/ping"] {
        let response = stub.get(path).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.text().await.unwrap(), "");
    }
}

#[tokio::test]
async fn unknown_paths_are_empty_404s_and_wrong_methods_empty_405s() {
    let stub = stub();
    let missing = stub.get("/v1/embeddings").await;
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.text().await.unwrap(), "");
    let wrong = stub.get("/generate").await;
    assert_eq!(wrong.status(), 405);
    assert_eq!(wrong.headers()["allow"], "POST");
}

#[tokio::test]
async fn metrics_are_empty_until_the_first_request() {
    let stub = stub();
    assert_eq!(stub.get("/metrics").await.text().await.unwrap(), "");
    stub.post("/generate", ask(7)).await;
    let page = stub.get("/metrics").await.text().await.unwrap();
    for line in [
        "tgi_request_count 1",
        "tgi_request_success 1",
        "tgi_queue_size 0",
        "tgi_batch_current_size 0",
        "tgi_batch_max_total_tokens 30000",
        "tgi_request_generated_tokens_sum 7",
        "tgi_request_duration_count 1",
    ] {
        assert!(
            page.lines().any(|found| found == line),
            "no `{line}` in\n{page}"
        );
    }
}

#[tokio::test]
async fn the_key_guards_the_generating_routes_only() {
    let stub = stub_with(Options {
        api_key: Some("s3cret".to_owned()),
        ..Options::default()
    });
    let refused = stub.post("/generate", ask(3)).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.text().await.unwrap(), "");
    let allowed = stub
        .request("/generate", &ask(3))
        .bearer_auth("S3CRET")
        .send()
        .await
        .unwrap();
    assert_eq!(allowed.status(), 200);
    assert_eq!(stub.get("/info").await.status(), 200);
}
