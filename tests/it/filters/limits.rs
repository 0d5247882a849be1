//! Caps of one request: what is over is cut down or refused.

use headworks_tests::{Guest, ModelServer, TestProxy};
use serde_json::{Value, json};

use crate::support::{ask, chat, openai_error, tgi_error};

async fn limited(settings: Value) -> (ModelServer, TestProxy) {
    let qwen = ModelServer::named("qwen2");
    let limits = Guest::builtin("token-limits").settings(settings);
    let proxy = TestProxy::to(&qwen).filter(limits).start().await;
    (qwen, proxy)
}

#[tokio::test]
async fn new_tokens_are_cut_down_to_the_limit_in_every_dialect() {
    let settings = json!({"max_new_tokens": {"limit": 16, "over": "clamp", "default": 4}});
    let (qwen, proxy) = limited(settings).await;
    for (asked, got) in [(Some(100), 16), (Some(16), 16), (Some(3), 3), (None, 4)] {
        let (mut tgi, mut openai) = (ask(1), chat("qwen2"));
        tgi["parameters"] = asked.map_or(json!({}), |asked| json!({"max_new_tokens": asked}));
        openai["max_tokens"] = json!(asked);
        for path in ["/generate", "/v1/generate", "/generate_stream"] {
            assert_eq!(proxy.post(path, tgi.clone()).await.status(), 200);
            assert_eq!(
                qwen.last_body()["parameters"]["max_new_tokens"],
                got,
                "{path} {asked:?}"
            );
        }
        assert_eq!(
            proxy.post("/v1/chat/completions", openai).await.status(),
            200
        );
        assert_eq!(qwen.last_body()["max_tokens"], got, "{asked:?}");
    }
}

#[tokio::test]
async fn what_is_over_a_limit_that_refuses_never_reaches_a_model() {
    let settings = json!({"max_input_tokens": {"limit": 100}, "max_new_tokens": {"limit": 16}});
    let (qwen, proxy) = limited(settings).await;
    let (status, code, message) = tgi_error(proxy.post("/generate", ask(17)).await).await;
    assert_eq!((status, code.as_str()), (422, "max_new_tokens_too_high"));
    assert!(
        message.contains("16") && message.contains("17"),
        "{message}"
    );
    let mut long = chat("qwen2");
    long["messages"][0]["content"] = "river ".repeat(100).into();
    let (status, code, _) = openai_error(proxy.post("/v1/chat/completions", long).await).await;
    assert_eq!((status, code.as_str()), (413, "prompt_too_long"));
    assert_eq!(qwen.seen(), 0);
    assert_eq!(proxy.post("/generate", ask(16)).await.status(), 200);
}
