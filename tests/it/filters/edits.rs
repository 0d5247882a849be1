//! What a filter changes of a request, as the model server gets it.

use headworks_tests::{Guest, ModelServer, TestProxy};
use serde_json::json;

use crate::support::{ask, chat, openai_error, tgi_error};

async fn start() -> (ModelServer, TestProxy) {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen)
        .filter(Guest::of("edits"))
        .start()
        .await;
    (qwen, proxy)
}

#[tokio::test]
async fn what_a_filter_changes_arrives_and_what_it_may_not_does_not() {
    let (qwen, proxy) = start().await;
    for (path, body) in [
        ("/generate", ask(9)),
        ("/v1/generate", ask(9)),
        (
            "/v1/completions",
            json!({"prompt": "What is a river?", "max_tokens": 9, "model": "m"}),
        ),
    ] {
        let request = proxy
            .request(path, &body)
            .header("authorization", "Bearer t");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}: {:?}", answer.text().await);
        let (headers, sent) = (qwen.last().headers, qwen.last_body());
        assert_eq!(headers["x-edited"].as_bytes(), "Zürich".as_bytes());
        for name in ["authorization", "x-injected", "x-a", "transfer-encoding"] {
            assert!(!headers.contains_key(name), "{path}: {name}");
        }
        assert_eq!(headers["host"], qwen.address().to_string());
        let (prompt, parameters, cap) = if path == "/v1/completions" {
            ("prompt", &sent, "max_tokens")
        } else {
            ("inputs", &sent["parameters"], "max_new_tokens")
        };
        assert_eq!(sent[prompt], "before What is a river? after", "{path}");
        assert_eq!(sent["user"], json!({"name": "a \"b\""}), "{path}");
        assert_eq!(
            (&parameters["temperature"], &parameters[cap]),
            (&json!(0.5), &json!(3))
        );
    }
}

#[tokio::test]
async fn what_a_filter_refuses_is_told_in_the_callers_dialect_and_when_to_try_again() {
    let (qwen, proxy) = start().await;
    let reason = "slow \"down\" <b>";
    for (path, body) in [
        ("/generate_stream", ask(9)),
        ("/v1/chat/completions", chat("m")),
    ] {
        let answer = proxy
            .request(path, &body)
            .header("x-refuse", reason)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["retry-after"], "3", "{path}");
        assert_eq!(answer.headers()["retry-after-ms"], "2500", "{path}");
        let (status, _, message) = if path == "/generate_stream" {
            tgi_error(answer).await
        } else {
            openai_error(answer).await
        };
        assert_eq!((status, message.as_str()), (429, reason), "{path}");
    }
    assert_eq!(qwen.seen(), 0);
}
