//! Answers that are allowed and unusual, or not HTTP at all.

use headworks_tests::{Scripted, TestProxy};

use crate::support::{ask, tgi_error};

/// The status and body that come of an upstream's answer; the upstream closes
/// after it.
async fn of(answer: &'static [u8]) -> (u16, String) {
    let upstream = Scripted::start(move |_, mut wire| async move {
        wire.message().await;
        wire.send(answer).await;
    })
    .await;
    let proxy = TestProxy::new().scripted("odd", &upstream).start().await;
    let answer = proxy.post("/generate", ask(4)).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn informational_heads_before_the_answer_are_passed_over() {
    let answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(of(answer).await, (200, "{}".to_owned()));
}

#[tokio::test]
async fn an_answer_whose_end_is_the_end_of_the_connection_is_whole() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"a\": 1}";
    assert_eq!(of(answer).await, (200, "{\"a\": 1}".to_owned()));
    let answer = b"HTTP/1.0 200 OK\r\n\r\nold";
    assert_eq!(of(answer).await, (200, "old".to_owned()));
}

#[tokio::test]
async fn an_answer_without_a_body_is_passed_on() {
    assert_eq!(
        of(b"HTTP/1.1 204 No Content\r\n\r\n").await,
        (204, String::new())
    );
    assert_eq!(
        of(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await,
        (200, String::new())
    );
}

#[tokio::test]
async fn what_is_no_http_is_a_502() {
    for answer in [
        &b"hello there\r\n\r\n"[..],
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-len",
        b"HTTP/1.1 200 OK\r\n\x01bad: 1\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"",
    ] {
        let (status, body) = of(answer).await;
        assert_eq!(status, 502, "{:?}: {body}", String::from_utf8_lossy(answer));
        assert!(
            body.contains("upstream_broke") && !body.contains("127.0.0.1"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn bytes_that_a_model_server_sends_unasked_do_not_answer_the_next_request() {
    let upstream = Scripted::start(|_, mut wire| async move {
        while wire.message().await.is_some() {
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"x\":1}").await;
        }
    })
    .await;
    let proxy = TestProxy::new().scripted("odd", &upstream).start().await;
    for _ in 0..10 {
        let answer = proxy.post("/generate", ask(4)).await;
        let status = answer.status();
        assert!(status == 502 || answer.text().await.unwrap() == "{}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_a_502() {
    let upstream = Scripted::start(|_, mut wire| async move {
        wire.message().await;
        let header = format!("x-large: {}\r\n", "x".repeat(2 << 20));
        wire.send(format!(
            "HTTP/1.1 200 OK\r\n{header}content-length: 2\r\n\r\n{{}}"
        ))
        .await;
    })
    .await;
    let proxy = TestProxy::new().scripted("odd", &upstream).start().await;
    let (status, code, _) = tgi_error(proxy.post("/generate", ask(4)).await).await;
    assert_eq!((status, code.as_str()), (502, "upstream_broke"));
}

#[tokio::test]
async fn an_endpoint_may_have_a_path_of_its_own_and_a_name() {
    let upstream = Scripted::start(|_, mut wire| async move {
        while let Some(request) = wire.message().await {
            let line = request.head.lines().next().unwrap().to_owned();
            let host = request.header("host").unwrap();
            let body = format!("{line} of {host}");
            let length = body.len();
            wire.send(format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
            ))
            .await;
        }
    })
    .await;
    // The name has two addresses on most machines, and nobody listens on one.
    let url = upstream.url().replace("127.0.0.1", "localhost");
    let proxy = TestProxy::new()
        .pool("odd", [format!("{url}/tgi/v3/")])
        .unwatched("odd")
        .start()
        .await;
    let host = url.strip_prefix("http://").unwrap();
    for (path, sent) in [("/generate", "/tgi/v3/generate"), ("/", "/tgi/v3/")] {
        let answer = proxy.post(path, ask(4)).await.text().await.unwrap();
        assert_eq!(answer, format!("POST {sent} HTTP/1.1 of {host}"));
    }
    let answer = proxy.get("/info").await.text().await.unwrap();
    assert_eq!(answer, format!("GET /tgi/v3/info HTTP/1.1 of {host}"));
}

#[tokio::test]
async fn a_large_answer_is_passed_on_and_held_up_to_a_limit() {
    let upstream = Scripted::start(|_, mut wire| async move {
        while let Some(request) = wire.message().await {
            let size = request.header("x-size").unwrap().parse().unwrap();
            let body = format!("{{\"generated_text\":\"{}\"}}", "x".repeat(size));
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            wire.send(head + &body).await;
        }
    })
    .await;
    let proxy = TestProxy::new().scripted("odd", &upstream).start().await;
    for (path, size, status) in [
        ("/generate", 20 << 20, 200),
        ("/v1/generate", 15 << 20, 200),
        ("/v1/generate", 17 << 20, 502),
        ("/v1/generate", 100, 200),
    ] {
        let request = proxy.request(path, &ask(4)).header("x-size", size);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {size}");
        let body = answer.text().await.unwrap();
        assert!(
            status != 200 || body.len() > size,
            "{path} {size}: {} bytes",
            body.len()
        );
    }
}
