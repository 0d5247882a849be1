//! Which model is asked, and what a client learns of the models there are.

use headworks_tests::{Guest, ModelServer, TestProxy};
use serde_json::{Value, json};

use crate::support::{ask, chat, model_of};

#[tokio::test]
async fn what_serves_is_told_as_tgi_tells_it() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    for path in ["/", "/health", "/ping"] {
        let answer = proxy.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.text().await.unwrap(), "", "{path}");
    }
    let info: Value = proxy.get("/info").await.json().await.unwrap();
    assert_eq!(
        (&info["model_id"], &info["max_total_tokens"]),
        (&json!("qwen2"), &json!(8192))
    );
    let models: Value = proxy.get("/v1/models?limit=1").await.json().await.unwrap();
    assert_eq!(models["object"], "list");
    assert_eq!(models["data"][0]["id"], "qwen2");
}

#[tokio::test]
async fn a_model_server_is_asked_for_the_name_it_knows() {
    let (tgi, named, vllm) = (
        ModelServer::named("one"),
        ModelServer::named("two"),
        ModelServer::named("three"),
    );
    let proxy = TestProxy::new()
        .pool("one", [tgi.url()])
        .pool("two", [named.url()])
        .set("pools.two.model", "org/Two-7B")
        .pool_of("openai", "three", [vllm.url()])
        .filter(Guest::builtin("model-router"))
        .start()
        .await;
    for (model, server, asked_for) in [
        // TGI takes any other name for that of an adapter.
        ("one", &tgi, "tgi"),
        ("two", &named, "org/Two-7B"),
        ("three", &vllm, "three"),
    ] {
        assert_eq!(
            proxy
                .post("/v1/chat/completions", chat(model))
                .await
                .status(),
            200
        );
        let body = server.last_body();
        assert_eq!(body["model"], asked_for);
        assert_eq!(body["messages"], chat(model)["messages"]);
    }
}

#[tokio::test]
async fn a_tgi_client_names_its_model_by_a_header() {
    let (qwen, llama) = (ModelServer::named("qwen2"), ModelServer::named("llama3"));
    let proxy = TestProxy::new()
        .model(&qwen)
        .model(&llama)
        .set("default_pool", "qwen2")
        .filter(Guest::builtin("model-router"))
        .start()
        .await;
    for (header, model) in [
        (None, "qwen2"),
        (Some("llama3"), "llama3"),
        (Some("qwen2"), "qwen2"),
    ] {
        let mut request = proxy.request("/generate", &ask(4));
        let mut info = proxy.client().get(proxy.url("/info"));
        if let Some(header) = header {
            request = request.header("x-model-id", header);
            info = info.header("x-model-id", header);
        }
        assert_eq!(model_of(request.send().await.unwrap()).await, model);
        let info: Value = info.send().await.unwrap().json().await.unwrap();
        assert_eq!(info["model_id"], model);
    }
}

#[tokio::test]
async fn the_path_may_name_the_model_whatever_the_body_says() {
    let (qwen, llama) = (ModelServer::named("qwen2"), ModelServer::named("llama3"));
    let proxy = TestProxy::to(&qwen)
        .model(&llama)
        .filter(Guest::builtin("model-router"))
        .start()
        .await;
    for path in ["/models/llama3/generate", "/models/llama3/v1/generate"] {
        assert_eq!(model_of(proxy.post(path, ask(4)).await).await, "llama3");
    }
    let list: Value = proxy
        .post("/models/llama3", ask(4))
        .await
        .json()
        .await
        .unwrap();
    assert!(list[0]["generated_text"].is_string(), "{list}");
    let answer = proxy.post("/models/llama3/v1/chat/completions", chat("qwen2"));
    assert_eq!(answer.await.status(), 200);
    assert_eq!((qwen.seen(), llama.seen()), (0, 4));
}

#[tokio::test]
async fn an_invocation_is_answered_by_the_api_that_its_body_is_of() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let invoke = async |body: Value| -> Value {
        let answer = proxy.post("/invocations", body).await;
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    };
    assert!(invoke(ask(4)).await[0]["generated_text"].is_string());
    assert_eq!(invoke(chat("tgi")).await["object"], "chat.completion");
    let prompt = json!({"model": "tgi", "prompt": "hi", "max_tokens": 4});
    assert_eq!(invoke(prompt).await["object"], "text_completion");
    assert_eq!(proxy.post("/invocations", json!({})).await.status(), 422);
}

#[tokio::test]
async fn tokens_are_told_as_tgi_tells_them() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let tokens = proxy.post("/tokenize", ask(4)).await;
    assert_eq!(tokens.status(), 200);
    let tokens: Value = tokens.json().await.unwrap();
    assert!(tokens[0]["text"].is_string(), "{tokens}");
    let chat: Value = proxy
        .post("/chat_tokenize", chat("tgi"))
        .await
        .json()
        .await
        .unwrap();
    assert!(chat["templated_text"].is_string(), "{chat}");
}
