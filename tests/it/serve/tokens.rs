//! Prompts are counted, or estimated by what was counted before.

use std::fs;

use headworks_tests::{Guest, ModelServer, TestProxy, Told};

use crate::support::unified;

/// One token for each word, whichever it is.
const WORDS: &str = r#"{
    "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
    "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null,
    "decoder": null,
    "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}
}"#;

const COUNTED: &str = "headworks_requests_model_input_tokens_total{model=\"qwen2\"}";

/// Has a stream of a prompt answered, which tells nothing of its prompt.
async fn stream(proxy: &TestProxy, prompt: &str) {
    let mut body = unified("qwen2");
    body["inputs"] = prompt.into();
    body["stream"] = true.into();
    Told::by(proxy.post("/v1/generate", body).await).await;
}

#[tokio::test]
async fn a_prompt_is_counted_by_the_pools_tokenizer_where_the_endpoint_does_not_say() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tokenizer.json"), WORDS).unwrap();
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen)
        .filter(Guest::builtin("model-router"))
        .filter(Guest::builtin("telemetry"))
        .set("pools.qwen2.tokenizer", "tokenizer.json")
        .start_in(folder)
        .await;
    stream(&proxy, &"a ".repeat(30)).await;
    proxy.wait_for_metric(COUNTED, 30.0).await;
    // Too long to be counted on the way.
    stream(&proxy, &"a ".repeat(3000)).await;
    proxy.wait_for_metric(COUNTED, 3030.0).await;
}

#[test]
fn a_tokenizer_that_is_none_is_found_when_the_configuration_is_checked() {
    let setup = TestProxy::new()
        .pool("qwen2", ["http://127.0.0.1:1"])
        .set("pools.qwen2.tokenizer", "none.json");
    let ran = setup.check();
    assert_ne!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stderr.contains("pools.qwen2.tokenizer") && ran.stderr.contains("none.json"),
        "{ran:?}"
    );
}
