//! Models, aliases and scenarios find their pools.

use headworks_tests::{Guest, ModelServer, TestProxy};
use serde_json::{Value, json};

use crate::support::{ask, chat, model_of, openai_error, tgi_error, unified};

struct Stage {
    qwen: ModelServer,
    llama: ModelServer,
    proxy: TestProxy,
}

async fn stage() -> Stage {
    let (qwen, llama) = (ModelServer::named("qwen2"), ModelServer::named("llama3"));
    let settings = json!({
        "models": {
            "qwen2": {"pool": "qwen2"},
            "llama3": {"pool": "llama3"},
            "gpt-4": {"alias": "qwen2"},
            "assistant": {"pool": "llama3"},
            "canary": {"split": {"qwen2": 1, "llama3": 1}},
            "secret": {"pool": "qwen2", "allow": {"header": "x-tenant", "values": ["a"]}},
        },
        "scenarios": {
            "summarize": {
                "template": "Summarize:\n{inputs}\nSummary:",
                "parameters": {"temperature": 0.2, "max_new_tokens": 16},
            },
            "chat": {"pool": "llama3"},
        },
    });
    let router = Guest::builtin("model-router").settings(settings);
    let setup = TestProxy::new().model(&qwen).model(&llama).filter(router);
    let proxy = setup.set("default_pool", "qwen2").start().await;
    Stage { qwen, llama, proxy }
}

#[tokio::test]
async fn a_model_or_an_alias_of_it_is_answered_by_its_pool() {
    let stage = stage().await;
    for (model, server) in [
        ("qwen2", "qwen2"),
        ("llama3", "llama3"),
        ("gpt-4", "qwen2"),
        ("assistant", "llama3"),
    ] {
        let answer = stage.proxy.post("/v1/generate", unified(model)).await;
        assert_eq!(model_of(answer).await, server, "{model}");
        let answer: Value = stage
            .proxy
            .post("/v1/chat/completions", chat(model))
            .await
            .json()
            .await
            .unwrap();
        let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
        assert!(text.starts_with(&format!("[{server}]")), "{model}: {text}");
    }
    let models: Value = stage.proxy.get("/v1/models").await.json().await.unwrap();
    let ids: Vec<_> = models["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| &model["id"])
        .collect();
    assert_eq!(
        ids,
        ["assistant", "canary", "gpt-4", "llama3", "qwen2", "secret"]
    );
}

#[tokio::test]
async fn a_split_shares_its_requests_between_pools() {
    let stage = stage().await;
    for _ in 0..60 {
        let answer = stage.proxy.post("/v1/generate", unified("canary")).await;
        assert_eq!(answer.status(), 200);
    }
    // By chance; that one of them gets none of 60 is as good as impossible.
    assert!(stage.qwen.seen() > 0 && stage.llama.seen() > 0);
    assert_eq!(stage.qwen.seen() + stage.llama.seen(), 60);
}

#[tokio::test]
async fn a_model_that_is_not_served_or_not_open_is_refused_in_the_callers_dialect() {
    let stage = stage().await;
    let answer = stage.proxy.post("/v1/generate", unified("qwen3")).await;
    let (status, code, message) = tgi_error(answer).await;
    assert_eq!((status, code.as_str()), (404, "model_not_found"));
    assert!(message.contains("qwen3"), "{message}");
    let answer = stage
        .proxy
        .post("/v1/chat/completions", chat("qwen3"))
        .await;
    assert_eq!(openai_error(answer).await.1, "model_not_found");
    let answer = stage
        .proxy
        .post("/v1/chat/completions", chat("secret"))
        .await;
    let (status, code, _) = openai_error(answer).await;
    assert_eq!((status, code.as_str()), (403, "model_not_allowed"));
    let open = stage.proxy.request("/v1/chat/completions", &chat("secret"));
    assert_eq!(
        open.header("x-tenant", "a").send().await.unwrap().status(),
        200
    );
    assert_eq!(stage.qwen.seen(), 1);
}

#[tokio::test]
async fn a_scenario_brings_its_template_its_parameters_and_its_pool() {
    let stage = stage().await;
    let mut body = json!({"model_id": "qwen2", "inputs": "A \"river\".", "scenario": "summarize"});
    assert_eq!(
        stage
            .proxy
            .post("/v1/generate", body.clone())
            .await
            .status(),
        200
    );
    let sent = stage.qwen.last_body();
    assert_eq!(sent["inputs"], "Summarize:\nA \"river\".\nSummary:");
    // The client sent no parameters at all, by which TGI samples.
    let parameters = json!({"temperature": 0.2, "max_new_tokens": 16, "do_sample": true});
    assert_eq!(sent["parameters"], parameters);

    body["parameters"] = json!({"max_new_tokens": 3});
    assert_eq!(
        stage
            .proxy
            .post("/v1/generate", body.clone())
            .await
            .status(),
        200
    );
    assert_eq!(stage.qwen.last_body()["parameters"]["max_new_tokens"], 3);

    body["scenario"] = "chat".into();
    let answer = stage.proxy.post("/v1/generate", body).await;
    assert_eq!(model_of(answer).await, "llama3");
}

#[tokio::test]
async fn a_model_falls_back_to_another_pool_while_its_own_is_down() {
    let (down, spare) = (ModelServer::named("down"), ModelServer::named("spare"));
    let models = json!({"big": {"pool": "down", "fallback": "spare"}});
    let router = Guest::builtin("model-router").settings(json!({"models": models}));
    let proxy = TestProxy::new()
        .model(&down)
        .model(&spare)
        .filter(router)
        .start()
        .await;
    assert_eq!(
        model_of(proxy.post("/v1/generate", unified("big")).await).await,
        "down"
    );
    down.kill();
    // The first request finds out.
    proxy.post("/v1/generate", unified("big")).await;
    assert_eq!(
        model_of(proxy.post("/v1/generate", unified("big")).await).await,
        "spare"
    );
}

#[tokio::test]
async fn without_settings_each_pool_is_a_model() {
    let (qwen, llama) = (ModelServer::named("qwen2"), ModelServer::named("llama3"));
    let setup = TestProxy::new().model(&qwen).model(&llama);
    let proxy = setup.filter(Guest::builtin("model-router")).start().await;
    for model in ["qwen2", "llama3"] {
        assert_eq!(
            model_of(proxy.post("/v1/generate", unified(model)).await).await,
            model
        );
    }
    let (status, ..) = tgi_error(proxy.post("/generate", ask(4)).await).await;
    assert_eq!(status, 404, "there are two pools and no default");
}
