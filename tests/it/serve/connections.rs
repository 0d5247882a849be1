//! What HTTP asks of connections and of headers that are about them.

use headworks_tests::{ModelServer, Scripted, TestProxy};
use serde_json::json;

use crate::support::{ask, post};

#[tokio::test]
async fn a_connection_carries_one_request_after_the_other() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let mut wire = proxy.wire().await;
    for (path, body, status) in [
        ("/v1/generate", ask(4), 200),
        ("/generate", ask(4), 200),
        ("/generate_stream", ask(4), 200),
        ("/generate", json!([]), 422),
        ("/v1/chat/completions", json!({"messages": 1}), 422),
        ("/v1/generate", ask(4), 200),
    ] {
        wire.send(post(path, &body)).await;
        let answer = wire.message().await;
        let answer = answer.unwrap_or_else(|| panic!("{path} {body}: closed"));
        assert_eq!(
            (answer.status(), answer.whole),
            (status, true),
            "{path} {body}"
        );
    }
}

#[tokio::test]
async fn a_connection_whose_request_was_not_read_is_said_to_close_and_closes() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    for path in ["/nothing", "/health"] {
        let mut wire = proxy.wire().await;
        wire.send(post(path, &ask(4))).await;
        let answer = wire.message().await.unwrap();
        assert_eq!(answer.header("connection"), Some("close"), "{path}");
        wire.closed().await;
    }
}

#[tokio::test]
async fn requests_sent_together_are_answered_in_their_order() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let mut wire = proxy.wire().await;
    let models = "GET /v1/models HTTP/1.1\r\nhost: gateway\r\n\r\n";
    let mut together = String::new();
    for _ in 0..5 {
        together += &(post("/generate", &ask(4)) + models + &post("/v1/generate", &ask(4)));
    }
    wire.send(together).await;
    for _ in 0..5 {
        let [plain, models, unified] = [
            wire.message().await.unwrap().json(),
            wire.message().await.unwrap().json(),
            wire.message().await.unwrap().json(),
        ];
        assert!(
            plain["generated_text"].is_string() && plain["usage"].is_null(),
            "{plain}"
        );
        assert_eq!(models["object"], "list");
        assert!(unified["usage"].is_object(), "{unified}");
    }
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_an_answer_without_chunks_and_a_closed_connection() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    for path in ["/generate", "/generate_stream"] {
        let mut wire = proxy.wire().await;
        wire.send(post(path, &ask(4)).replace("HTTP/1.1", "HTTP/1.0"))
            .await;
        let answer = wire.message().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.header("transfer-encoding"), None, "{path}");
        assert!(
            answer.text().contains("[qwen2]"),
            "{path}: {}",
            answer.text()
        );
        wire.closed().await;
    }
}

#[tokio::test]
async fn a_client_that_says_close_is_closed() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let mut wire = proxy.wire().await;
    let request = post("/generate", &ask(4)).replace("host:", "connection: close\r\nhost:");
    wire.send(request).await;
    let answer = wire.message().await.unwrap();
    assert_eq!(
        (answer.status(), answer.header("connection")),
        (200, Some("close"))
    );
    wire.closed().await;
}

#[tokio::test]
async fn a_head_is_what_the_get_would_have_and_no_body() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    for path in ["/v1/models", "/info", "/health"] {
        let mut wire = proxy.wire().await;
        let ask = |method| format!("{method} {path} HTTP/1.1\r\nhost: gateway\r\n\r\n");
        wire.send(ask("HEAD") + &ask("GET")).await;
        let head = wire.head().await.unwrap();
        let answer = wire.message().await.unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        let length = format!("ontent-length: {}", answer.body.len()).to_lowercase();
        assert!(head.to_lowercase().contains(&length), "{path}: {head}");
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn headers_about_a_connection_end_at_the_gateway() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let hop_by_hop = "connection: keep-alive, X-Mine\r\nx-mine: 1\r\nkeep-alive: timeout=9\r\nte: trailers\r\nproxy-authorization: Basic eA==\r\nupgrade: h2c\r\nx-other: 2\r\nauthorization: Bearer t\r\nhost:";
    let mut wire = proxy.wire().await;
    wire.send(post("/generate", &ask(4)).replace("host:", hop_by_hop))
        .await;
    assert_eq!(wire.message().await.unwrap().status(), 200);
    let headers = qwen.last().headers;
    for name in [
        "connection",
        "x-mine",
        "keep-alive",
        "te",
        "proxy-authorization",
        "upgrade",
    ] {
        assert!(!headers.contains_key(name), "{name} went on: {headers:?}");
    }
    assert_eq!(
        (&headers["x-other"], &headers["authorization"]),
        (&"2".parse().unwrap(), &"Bearer t".parse().unwrap())
    );
    assert_eq!(headers["host"], qwen.address().to_string());
}

#[tokio::test]
async fn headers_of_an_answer_about_its_connection_end_at_the_gateway() {
    let upstream = Scripted::answering(
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Inner\r\nX-Inner: 1\r\nKeep-Alive: timeout=5\r\nX-Outer: 2\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    )
    .await;
    let proxy = TestProxy::new().scripted("odd", &upstream).start().await;
    let answer = proxy.post("/generate", ask(4)).await;
    for name in ["x-inner", "keep-alive"] {
        assert!(
            !answer.headers().contains_key(name),
            "{name}: {:?}",
            answer.headers()
        );
    }
    assert_eq!(answer.headers()["x-outer"], "2");
    assert_eq!(answer.text().await.unwrap(), "{}");
}

#[tokio::test]
async fn what_is_no_http_is_answered_with_400_and_closed() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    for bytes in [
        "hello\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ] {
        let mut wire = proxy.wire().await;
        wire.send(bytes).await;
        let answer = wire.rest().await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.starts_with("HTTP/1.1 400") || answer.is_empty(),
            "{bytes:?}: {answer}"
        );
    }
    assert_eq!(proxy.get("/health").await.status(), 200);
}

#[tokio::test]
async fn a_request_sent_while_another_runs_waits_its_turn() {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let proxy = TestProxy::to(&qwen).start().await;
    for path in ["/generate", "/generate_stream"] {
        let mut wire = proxy.wire().await;
        wire.send(post(path, &ask(200))).await;
        qwen.until("the first runs", |stats| stats.running == 1)
            .await;
        wire.send(post("/v1/generate", &ask(4))).await;
        let first = wire.message().await.unwrap();
        assert_eq!((first.status(), first.whole), (200, true), "{path}");
        let second = wire.message().await.unwrap();
        assert!(second.json()["usage"].is_object(), "{path}");
        assert_eq!(qwen.stats().cancelled, 0);
    }
}

#[tokio::test]
async fn a_client_that_dawdles_over_its_request_is_let_go() {
    let qwen = ModelServer::named("qwen2");
    let setup = TestProxy::to(&qwen).set("server.read_timeout", "100ms");
    let proxy = setup.set("server.keepalive", "1s").start().await;
    let request = post("/generate", &ask(4));
    // Nothing at all, half a head, half a body, and nothing after a request.
    proxy.wire().await.closed().await;
    let mut wire = proxy.wire().await;
    wire.send(&request[..20]).await;
    let rest = String::from_utf8(wire.rest().await).unwrap();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 4"), "{rest}");
    let mut wire = proxy.wire().await;
    wire.send(&request[..request.len() - 5]).await;
    let answer = wire.message().await.unwrap();
    assert_eq!(
        (answer.status(), answer.json()["error_type"].as_str()),
        (408, Some("request_timeout"))
    );
    wire.closed().await;
    let mut wire = proxy.wire().await;
    wire.send(&request).await;
    assert_eq!(wire.message().await.unwrap().status(), 200);
    wire.closed().await;
    assert_eq!(qwen.seen(), 1);
}

#[tokio::test]
async fn a_request_line_may_name_the_whole_url() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let mut wire = proxy.wire().await;
    wire.send(post("http://gateway/generate?a=b", &ask(4)))
        .await;
    assert_eq!(wire.message().await.unwrap().status(), 200);
    assert_eq!(qwen.last().path, "/generate");
}
