//! Nobody there, or nobody any more.

use headworks_tests::{ModelServer, Options, Port, Scripted, TestProxy, until};

use crate::support::{ask, chat, model_of, openai_error, tgi_error};

/// The URL of a model server that was there a moment ago.
fn gone() -> String {
    let server = ModelServer::named("gone");
    let url = server.url();
    server.kill();
    url
}

#[tokio::test]
async fn a_model_server_that_is_down_is_a_502_that_tells_no_address() {
    let proxy = TestProxy::new().pool("gone", [gone()]).start().await;
    for path in ["/v1/generate", "/generate", "/generate_stream", "/"] {
        let (status, code, message) = tgi_error(proxy.post(path, ask(4)).await).await;
        assert_eq!(
            (status, code.as_str()),
            (502, "upstream_unreachable"),
            "{path}"
        );
        assert!(!message.contains("127.0.0.1"), "{message}");
    }
    for path in ["/v1/chat/completions"] {
        let (status, code, message) = openai_error(proxy.post(path, chat("gone")).await).await;
        assert_eq!(
            (status, code.as_str()),
            (502, "upstream_unreachable"),
            "{path}"
        );
        assert!(!message.contains("127.0.0.1"), "{message}");
    }
    let (status, ..) = tgi_error(proxy.get("/health").await).await;
    assert_eq!(status, 503);
    proxy.logged("cannot connect").await;
}

#[tokio::test]
async fn another_model_server_of_the_pool_is_asked_when_one_is_down() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::new()
        .pool("qwen2", [gone(), qwen.url(), gone()])
        .start()
        .await;
    for _ in 0..20 {
        assert_eq!(
            model_of(proxy.post("/generate", ask(4)).await).await,
            "qwen2"
        );
    }
    assert_eq!(qwen.seen(), 20);
    assert_eq!(proxy.get("/health").await.status(), 200);
}

#[tokio::test]
async fn a_model_server_that_comes_back_is_used_again() {
    let port = Port::free();
    let address = port.address();
    let proxy = TestProxy::new()
        .pool("late", [format!("http://{address}")])
        .start()
        .await;
    let (status, ..) = tgi_error(proxy.post("/generate", ask(4)).await).await;
    assert_eq!(status, 502);
    let mut options = Options::named("late");
    options.port = address.port();
    let _late = ModelServer::with(options);
    until("it is used again", async || {
        (proxy.post("/generate", ask(4)).await.status() == 200).then_some(())
    })
    .await;
}

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_is_replaced() {
    // Answers once and closes, though it promised to stay.
    let upstream = Scripted::start(|_, mut wire| async move {
        wire.message().await;
        wire.send(ANSWER).await;
    })
    .await;
    let proxy = TestProxy::new().scripted("odd", &upstream).start().await;
    for number in 1..=10 {
        assert_eq!(proxy.post("/generate", ask(4)).await.status(), 200);
        assert_eq!(upstream.connections(), number);
    }
}

#[tokio::test]
async fn a_kept_connection_that_closes_on_being_asked_is_replaced() {
    let upstream = Scripted::start(|number, mut wire| async move {
        wire.message().await;
        wire.send(ANSWER).await;
        wire.message().await;
        if number % 2 == 0 {
            wire.reset();
        }
    })
    .await;
    let proxy = TestProxy::new().scripted("odd", &upstream).start().await;
    for _ in 0..10 {
        assert_eq!(proxy.post("/generate", ask(4)).await.status(), 200);
    }
    assert_eq!(upstream.connections(), 10);
}

#[tokio::test]
async fn a_request_that_a_fresh_connection_swallowed_is_not_sent_twice() {
    let upstream = Scripted::start(|_, mut wire| async move {
        wire.message().await;
    })
    .await;
    let proxy = TestProxy::new().scripted("odd", &upstream).start().await;
    let (status, code, message) = tgi_error(proxy.post("/generate", ask(4)).await).await;
    assert_eq!((status, code.as_str()), (502, "upstream_broke"));
    assert!(!message.contains("127.0.0.1"), "{message}");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn connections_to_model_servers_are_kept_and_used_again() {
    let upstream = Scripted::answering(ANSWER).await;
    let proxy = TestProxy::new().scripted("odd", &upstream).start().await;
    for _ in 0..20 {
        assert_eq!(proxy.post("/generate", ask(4)).await.status(), 200);
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_model_server_whose_name_is_unknown_is_a_502_that_tells_no_name() {
    let proxy = TestProxy::new()
        .pool("lost", ["http://nowhere.invalid:80"])
        .start()
        .await;
    let (status, code, message) = tgi_error(proxy.post("/generate", ask(4)).await).await;
    assert_eq!((status, code.as_str()), (502, "upstream_unreachable"));
    assert!(!message.contains("invalid"), "{message}");
    proxy.logged("cannot resolve its name").await;
}
