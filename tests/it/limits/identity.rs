//! Who may use the gateway.

use headworks_tests::{ModelServer, TestProxy, run, until};
use reqwest::Response;
use serde_json::{Value, json};

use super::{keys_file, new_key};
use crate::support::{ask, chat, openai_error, unified};

async fn with_key(proxy: &TestProxy, path: &str, body: &Value, key: &str) -> Response {
    let request = proxy.request(path, body).bearer_auth(key);
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_request_needs_a_key_that_is_known_and_for_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let file = keys_file(folder.path());
    let all = new_key(&file, "acme", &[]);
    let one = new_key(&file, "acme", &["--models", "llama3"]);
    let (qwen, llama) = (ModelServer::named("qwen2"), ModelServer::named("llama3"));
    let proxy = TestProxy::new()
        .model(&qwen)
        .model(&llama)
        .filter(headworks_tests::Guest::builtin("model-router"))
        .set("identity.keys_file", &file)
        .start()
        .await;

    let path = "/v1/chat/completions";
    let missing = proxy.post(path, chat("qwen2")).await;
    assert_eq!(missing.headers()["www-authenticate"], "Bearer");
    let (status, code, message) = openai_error(missing).await;
    assert_eq!((status, code.as_str()), (401, "missing_api_key"));
    assert!(message.contains("Authorization: Bearer"), "{message}");

    // Nobody learns whether it was near the mark.
    let flipped = format!("{}x", &all[..all.len() - 1]);
    let mut answers = Vec::new();
    for wrong in ["x", &flipped, "hw_2222_", "sk-0123456789abcdef0123456789"] {
        answers.push(openai_error(with_key(&proxy, path, &chat("qwen2"), wrong).await).await);
    }
    assert_eq!(
        (answers[0].0, answers[0].1.as_str()),
        (401, "invalid_api_key")
    );
    let unknown = proxy.metric("headworks_gateway_unknown_keys_total").await;
    assert_eq!(unknown, 5.0);
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    assert_eq!((qwen.seen(), llama.seen()), (0, 0));

    let answer = with_key(&proxy, path, &chat("qwen2"), &all).await;
    assert_eq!(answer.status(), 200);
    assert!(!qwen.last().headers.contains_key("authorization"));
    let request = proxy
        .request(path, &chat("llama3"))
        .header("x-api-key", &one);
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert!(!llama.last().headers.contains_key("x-api-key"));

    let refused = with_key(&proxy, path, &chat("qwen2"), &one).await;
    let (status, code, _) = openai_error(refused).await;
    assert_eq!((status, code.as_str()), (403, "model_not_allowed"));
    let models = proxy
        .client()
        .get(proxy.url("/v1/models"))
        .bearer_auth(&one);
    let models: Value = models.send().await.unwrap().json().await.unwrap();
    assert_eq!(models["data"].as_array().unwrap().len(), 1);
    assert_eq!(models["data"][0]["id"], "llama3");
    // Load balancers have no keys.
    assert_eq!(proxy.get("/health").await.status(), 200);
    assert_eq!(proxy.get("/v1/models").await.status(), 401);
}

#[tokio::test]
async fn a_key_that_is_revoked_is_refused_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = keys_file(folder.path());
    let key = new_key(&file, "acme", &[]);
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen)
        .set("identity.keys_file", &file)
        .start()
        .await;
    let body = ask(4);
    assert_eq!(
        with_key(&proxy, "/generate", &body, &key).await.status(),
        200
    );
    let id = key.split('_').nth(1).unwrap();
    let revoked = run(["keys", "revoke", "--file", file.to_str().unwrap(), id]);
    assert_eq!(revoked.code, Some(0), "{}", revoked.stderr);
    until("it is refused", async || {
        let answer = with_key(&proxy, "/generate", &body, &key).await;
        (answer.status() == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_has_no_key_is_somebody_only_where_the_configuration_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = keys_file(folder.path());
    new_key(&file, "acme", &[]);
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen)
        .set("identity.keys_file", &file)
        .set("identity.anonymous", "guests")
        .start()
        .await;
    assert_eq!(
        proxy.post("/v1/generate", unified("qwen2")).await.status(),
        200
    );
    let wrong = with_key(&proxy, "/v1/generate", &unified("qwen2"), "nonsense").await;
    assert_eq!(wrong.status(), 401);
}

#[test]
fn what_is_wrong_with_keys_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = keys_file(folder.path());
    std::fs::write(
        &file,
        "[[keys]]\nid = \"a\"\nhash = \"md5:1\"\ntenant = \"acme\"\n",
    )
    .unwrap();
    let checked = TestProxy::new()
        .pool("pool", ["http://127.0.0.1:1"])
        .set("identity.keys_file", &file)
        .set(
            "identity.keys",
            json!([{"id": "b", "hash": "", "tenant": "a b"}]),
        )
        .check();
    assert_eq!(checked.code, Some(1));
    for told in ["identity.keys_file", "keys[0].hash", "keys.toml", "tenant"] {
        assert!(checked.stderr.contains(told), "{told}: {}", checked.stderr);
    }
}
