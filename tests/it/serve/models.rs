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
