//! Bodies of every size and framing: they arrive unharmed, or not at all.

use futures::stream;
use headworks_tests::{Message, ModelServer, TestProxy};
use serde_json::{Value, json};

use crate::support::{ask, post};

/// A prompt of about so many bytes that no piece of another can be taken for.
fn long(bytes: usize) -> String {
    let mut prompt = String::with_capacity(bytes + 32);
    for line in 0.. {
        if prompt.len() >= bytes {
            break;
        }
        prompt += &format!("{line}: Zürich \"東京\" \\ 🙂\n");
    }
    prompt
}

/// A request whose answer repeats its prompt.
fn echo(prompt: &str) -> Value {
    json!({"inputs": prompt, "parameters": {"max_new_tokens": 4, "return_full_text": true}})
}

#[tokio::test]
async fn bodies_of_any_size_up_to_the_limit_arrive_unharmed() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    // JSON escapes make the body larger than its prompt; TGI takes 2,000,000 bytes.
    for bytes in [60 << 10, 70 << 10, 300 << 10, 1400 << 10] {
        let prompt = long(bytes);
        let body = echo(&prompt).to_string();
        assert!(body.len() < 2_000_000);
        let pieces: Vec<_> = body.as_bytes().chunks(50_000).map(<[u8]>::to_vec).collect();
        let chunked = stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
        for body in [body.clone().into(), reqwest::Body::wrap_stream(chunked)] {
            let request = proxy.client().post(proxy.url("/generate")).body(body);
            let request = request
                .header("content-type", "application/json")
                .header("x-sim-in", 9);
            let answer: Value = request.send().await.unwrap().json().await.unwrap();
            let text = answer["generated_text"].as_str().unwrap();
            assert!(
                text.starts_with(&format!("{prompt}[qwen2]")),
                "of {bytes} bytes"
            );
        }
    }
}

#[tokio::test]
async fn a_body_of_1_9_mebibytes_is_served_by_the_defaults() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let prompt = "river ".repeat((19 << 20) / 10 / 6);
    let request = proxy
        .request("/v1/generate", &echo(&prompt))
        .header("x-sim-in", 9);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert!(
        answer["generated_text"]
            .as_str()
            .unwrap()
            .starts_with(&(prompt + "[qwen2]"))
    );
}

#[tokio::test]
async fn a_body_that_only_the_model_server_finds_too_large_is_refused_by_it() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    // TGI answers before it has read it all, and closes.
    let prompt = "river ".repeat(2_050_000 / 6);
    for path in ["/generate", "/v1/generate", "/generate_stream"] {
        let answer = proxy.post(path, echo(&prompt)).await;
        assert_eq!(
            answer.status(),
            413,
            "{path}: {}",
            answer.text().await.unwrap()
        );
        assert_eq!(proxy.post(path, ask(4)).await.status(), 200, "{path}");
    }
}

/// A body of exactly so many bytes, which in its middle looks like a request.
fn body_of(bytes: usize) -> String {
    let inner = post("/generate", &ask(4));
    let start = r#"{"parameters":{"max_new_tokens":4},"inputs":"#;
    let quoted = Value::from(inner).to_string();
    let body = format!("{start}{}", quoted.trim_end_matches('"'));
    let fill = "x".repeat(bytes - body.len() - 2);
    body + &fill + "\"}"
}

/// A chunked request with this body.
fn chunked(body: &str) -> String {
    let head = "POST /generate HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\nx-sim-in: 9\r\ntransfer-encoding: chunked\r\n\r\n";
    let (first, second) = body.split_at(body.len() / 2);
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    format!("{head}{}{}0\r\n\r\n", chunk(first), chunk(second))
}

fn sized(body: &str) -> String {
    let length = body.len();
    format!(
        "POST /generate HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\nx-sim-in: 9\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

const LIMIT: usize = 64 << 10;

async fn with_limit() -> (ModelServer, TestProxy) {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen)
        .set("server.max_body", "64KiB")
        .start()
        .await;
    (qwen, proxy)
}

fn assert_too_large(answer: &Message) {
    assert_eq!((answer.status(), answer.whole), (413, true));
    assert_eq!(answer.json()["error_type"], "body_too_large");
}

#[tokio::test]
async fn the_largest_body_is_served_and_one_byte_more_is_not() {
    let (qwen, proxy) = with_limit().await;
    for framed in [sized, chunked] {
        let mut wire = proxy.wire().await;
        wire.send(framed(&body_of(LIMIT))).await;
        assert_eq!(wire.message().await.unwrap().status(), 200);
        let seen = qwen.seen();
        wire.send(framed(&body_of(LIMIT + 1))).await;
        assert_too_large(&wire.message().await.unwrap());
        assert_eq!(qwen.seen(), seen);
    }
}

#[tokio::test]
async fn what_is_left_of_a_refused_body_is_never_taken_for_a_request() {
    let (qwen, proxy) = with_limit().await;
    for framed in [sized, chunked] {
        for bytes in [LIMIT + 1, 3 * LIMIT] {
            let mut wire = proxy.wire().await;
            wire.send(framed(&body_of(bytes))).await;
            wire.send("GET /v1/models HTTP/1.1\r\nhost: gateway\r\n\r\n")
                .await;
            wire.close_sending().await;
            assert_too_large(&wire.message().await.unwrap());
            // The connection closes, or its next request is answered, and only that.
            if let Some(next) = wire.message().await {
                assert_eq!(next.json()["object"], "list");
                wire.closed().await;
            }
        }
    }
    assert_eq!(qwen.seen(), 0);
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_for_its_body_is_asked_or_refused() {
    let (qwen, proxy) = with_limit().await;
    let expecting = |length: usize| {
        format!(
            "POST /generate HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let mut wire = proxy.wire().await;
    let body = ask(4).to_string();
    wire.send(expecting(body.len())).await;
    assert_eq!(wire.message().await.unwrap().status(), 100);
    wire.send(body).await;
    assert_eq!(wire.message().await.unwrap().status(), 200);
    assert!(!qwen.last().headers.contains_key("expect"));

    let mut wire = proxy.wire().await;
    wire.send(expecting(LIMIT + 1)).await;
    assert_too_large(&wire.message().await.unwrap());
    assert_eq!(qwen.seen(), 1);
}

#[tokio::test]
async fn a_request_that_can_be_read_in_two_ways_is_refused_and_ends_its_connection() {
    let (qwen, proxy) = with_limit().await;
    let inner = post("/generate", &ask(4));
    let length = inner.len() + 5;
    for lengths in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}"),
        format!("content-length: 5\r\ncontent-length: {length}"),
        format!("content-length: 5, {length}"),
        "transfer-encoding: chunked, identity".to_owned(),
        "transfer-encoding: xchunked".to_owned(),
        "transfer-encoding : chunked".to_owned(),
        format!("content-length: +{length}"),
    ] {
        let mut wire = proxy.wire().await;
        let head = format!("POST /generate HTTP/1.1\r\nhost: gateway\r\n{lengths}\r\n\r\n");
        wire.send(head + "0\r\n\r\n" + &inner).await;
        let answer = wire.message().await.unwrap();
        assert!(
            (400..=501).contains(&answer.status()),
            "{lengths}: {}",
            answer.head
        );
        wire.closed().await;
    }
    assert_eq!(qwen.seen(), 0);
}
