//! What cannot be served is refused in the caller's dialect.

use headworks_tests::{Guest, ModelServer, TestProxy};
use serde_json::json;

use crate::support::{ask, chat, openai_error, tgi_error, unified};

#[tokio::test]
async fn an_unknown_path_is_not_found_in_the_dialect_of_its_neighbours() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    for path in ["/v2/models", "/generate/", "/v1", "/metrics"] {
        let (status, code, _) = tgi_error(proxy.get(path).await).await;
        assert_eq!((status, code.as_str()), (404, "not_found"), "{path}");
    }
    for path in ["/v1/embeddings", "/v1/chat"] {
        let (status, code, _) = openai_error(proxy.post(path, ask(1)).await).await;
        assert_eq!((status, code.as_str()), (404, "not_found"), "{path}");
    }
    assert_eq!(qwen.seen(), 0);
}

#[tokio::test]
async fn a_wrong_method_is_told_which_is_right() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    for (method, path, allow) in [
        ("GET", "/v1/generate", "POST"),
        ("PUT", "/generate", "POST"),
        ("DELETE", "/v1/chat/completions", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("POST", "/health", "GET, HEAD"),
    ] {
        let request = proxy
            .client()
            .request(method.parse().unwrap(), proxy.url(path));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method} {path}");
        assert_eq!(answer.headers()["allow"], allow, "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_or_of_the_wrong_shape_never_reaches_a_model() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    for (body, status) in [
        (r#"{"inputs": "x""#, 400),
        ("", 400),
        (r#"{"inputs": "x", "inputs": "y"}"#, 422),
        (r#"{"parameters": {}}"#, 422),
        (
            r#"{"inputs": "x", "parameters": {"max_new_tokens": "9"}}"#,
            422,
        ),
        (
            r#"{"inputs": "x", "parameters": {"seed": 1, "seed": 2}}"#,
            422,
        ),
    ] {
        for path in ["/v1/generate", "/generate", "/", "/generate_stream"] {
            let request = proxy.client().post(proxy.url(path)).body(body);
            let (got, code, message) = tgi_error(request.send().await.unwrap()).await;
            assert_eq!(
                (got, code.as_str()),
                (status, "validation"),
                "{path} {body}: {message}"
            );
        }
    }
    for (body, status) in [(r#"{"messages": ["#, 400), (r#"{"model": "qwen2"}"#, 422)] {
        let request = proxy
            .client()
            .post(proxy.url("/v1/chat/completions"))
            .body(body);
        let (got, code, _) = openai_error(request.send().await.unwrap()).await;
        assert_eq!((got, code.as_str()), (status, "validation"), "{body}");
    }
    assert_eq!(qwen.seen(), 0);
}

#[tokio::test]
async fn a_call_that_the_pool_cannot_understand_is_refused_and_not_guessed() {
    let vllm = ModelServer::named("vllm");
    let proxy = TestProxy::new()
        .pool_of("openai", "vllm", [vllm.url()])
        .start()
        .await;
    let (status, code, message) = tgi_error(proxy.post("/tokenize", ask(4)).await).await;
    assert_eq!((status, code.as_str()), (501, "not_translated"));
    assert!(message.contains("`vllm`"), "{message}");
    let mut body = ask(4);
    body["parameters"]["watermark"] = true.into();
    for path in ["/v1/generate", "/generate", "/generate_stream", "/"] {
        let (status, code, message) = tgi_error(proxy.post(path, body.clone()).await).await;
        assert_eq!(
            (status, code.as_str()),
            (422, "unsupported_parameter"),
            "{path}"
        );
        assert!(message.contains("`watermark`"), "{message}");
    }
    assert_eq!(vllm.seen(), 0);
    assert_eq!(
        proxy
            .post("/v1/chat/completions", chat("vllm"))
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn without_a_default_pool_a_request_that_nobody_routed_is_refused() {
    let (qwen, llama) = (ModelServer::named("qwen2"), ModelServer::named("llama3"));
    let proxy = TestProxy::new().model(&qwen).model(&llama).start().await;
    let (status, code, message) = tgi_error(proxy.post("/v1/generate", unified("gpt")).await).await;
    assert_eq!((status, code.as_str()), (404, "model_not_found"));
    assert!(message.contains("`gpt`"), "{message}");
    let (status, code, _) =
        openai_error(proxy.post("/v1/chat/completions", chat("gpt")).await).await;
    assert_eq!((status, code.as_str()), (404, "model_not_found"));
}

#[tokio::test]
async fn what_a_model_server_refuses_is_passed_on_as_it_is() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let mut body = ask(4);
    body["parameters"]["top_p"] = json!(1.0);
    let direct = proxy
        .client()
        .post(qwen.url() + "/generate")
        .json(&body)
        .send();
    let direct = tgi_error(direct.await.unwrap()).await;
    assert_eq!((direct.0, direct.1.as_str()), (422, "validation"));
    for path in ["/generate", "/v1/generate"] {
        let ours = tgi_error(proxy.post(path, body.clone()).await).await;
        assert_eq!(ours, direct, "{path}");
    }
}

#[tokio::test]
async fn prompts_are_never_in_the_log_whatever_becomes_of_them() {
    const SECRET: &str = "only between us";
    let qwen = ModelServer::named("qwen2");
    let down = ModelServer::named("down");
    let proxy = TestProxy::to(&qwen)
        .model(&down)
        .set("default_pool", "qwen2")
        .filter(Guest::builtin("model-router"))
        .filter(Guest::builtin("token-limits").settings(json!({"max_new_tokens": {"limit": 9}})))
        .logs_all()
        .start()
        .await;
    down.kill();
    for (model, tokens) in [("qwen2", 8), ("qwen2", 10), ("down", 8), ("gpt", 8)] {
        let body =
            json!({"model_id": model, "inputs": SECRET, "parameters": {"max_new_tokens": tokens}});
        proxy.post("/v1/generate", body).await;
        let message = json!({"role": "user", "content": SECRET});
        let body =
            json!({"model": model, "messages": [message], "max_tokens": tokens, "stream": true});
        proxy
            .post("/v1/chat/completions", body)
            .await
            .text()
            .await
            .unwrap();
    }
    for broken in [
        "{\"inputs\": \"only between us\"",
        "{\"inputs\": [\"only between us\"], \"stream\": 3}",
    ] {
        proxy
            .client()
            .post(proxy.url("/generate"))
            .body(broken)
            .send()
            .await
            .unwrap();
    }
    proxy.logged("DEBUG").await;
    assert!(!proxy.logs().contains(SECRET), "{}", proxy.logs());
}
