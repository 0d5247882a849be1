//! Answers that come too late or break off.

use headworks_tests::{FaultKind, ModelServer, Scripted, TestProxy, Told, http2_client, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::support::{ask, chat, openai_error, tgi_error};

/// Reads a request, sends what is given and then keeps silent; counts the
/// connections that the gateway closed.
async fn silent_after(sent: &'static [u8]) -> (Scripted, Arc<AtomicUsize>) {
    let closed = Arc::new(AtomicUsize::new(0));
    let count = closed.clone();
    let server = Scripted::start(move |_, mut wire| {
        let count = count.clone();
        async move {
            wire.message().await;
            wire.send(sent).await;
            wire.rest().await;
            count.fetch_add(1, SeqCst);
        }
    })
    .await;
    (server, closed)
}

const HALF_A_STREAM: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";

#[tokio::test]
async fn a_model_server_that_does_not_answer_in_time_is_a_504_and_is_let_go() {
    let (server, closed) = silent_after(b"").await;
    let proxy = TestProxy::new()
        .scripted("slow", &server)
        .set("pools.slow.timeouts.head", "50ms")
        .set("pools.slow.timeouts.first_token", "50ms")
        .start()
        .await;
    for path in ["/v1/generate", "/generate", "/generate_stream"] {
        let (status, code, message) = tgi_error(proxy.post(path, ask(4)).await).await;
        assert_eq!((status, code.as_str()), (504, "upstream_timeout"), "{path}");
        assert!(
            message.contains("50ms") && !message.contains("127.0.0.1"),
            "{message}"
        );
    }
    let (status, code, _) = openai_error(
        proxy
            .post("/v1/completions", {
                let mut body = chat("slow");
                body["prompt"] = "hi".into();
                body
            })
            .await,
    )
    .await;
    assert_eq!((status, code.as_str()), (504, "upstream_timeout"));
    until("its connections are closed", async || {
        (closed.load(SeqCst) == 4).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_stops_in_the_middle_is_cut_and_not_ended() {
    let (server, closed) = silent_after(HALF_A_STREAM).await;
    for key in ["idle", "total"] {
        let proxy = TestProxy::new()
            .scripted("slow", &server)
            .set(&format!("pools.slow.timeouts.{key}"), "100ms")
            .start()
            .await;
        let before = closed.load(SeqCst);
        let told = Told::by(proxy.post("/generate_stream", ask(4)).await).await;
        assert_eq!(told.payloads[0], "1", "{key}");
        assert!(
            told.payloads[1].contains("upstream_timeout"),
            "{key}: {told:?}"
        );
        assert!(told.broke.is_some(), "{key}: a false end");
        until("its connection is closed", async || {
            (closed.load(SeqCst) == before + 1).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_stream_that_breaks_in_the_middle_is_cut_and_not_ended() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    qwen.inject(FaultKind::ResetAfter { tokens: 3 });
    for client in [proxy.client(), &http2_client()] {
        let mut stream = chat("qwen2");
        stream["stream"] = true.into();
        for (path, body) in [
            ("/generate_stream", ask(20)),
            ("/v1/chat/completions", stream),
        ] {
            let request = client
                .post(proxy.url(path))
                .json(&body)
                .header("x-sim-out", 20);
            let answer = match request.send().await {
                Ok(answer) => answer,
                // In HTTP/2 a reset may overtake what was sent before it.
                Err(_) if !std::ptr::eq(client, proxy.client()) => continue,
                Err(error) => panic!("{path}: {error:?}"),
            };
            let told = Told::by(answer).await;
            assert!(told.broke.is_some(), "{path}: a false end: {told:?}");
            assert!(
                !told.payloads.iter().any(|payload| payload == "[DONE]"),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_whole_answer_that_breaks_in_the_middle_is_an_error_and_never_half_an_answer() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    qwen.inject(FaultKind::ResetAfter { tokens: 3 });
    // The gateway holds this one, so it can still say what happened.
    let (status, code, _) = tgi_error(proxy.post("/v1/generate", ask(8)).await).await;
    assert_eq!((status, code.as_str()), (502, "upstream_broke"));
    for (path, body) in [
        ("/generate", ask(8)),
        ("/v1/chat/completions", chat("qwen2")),
    ] {
        let answer = proxy.post(path, body).await;
        let status = answer.status();
        let text = answer.text().await;
        assert!(status == 502 || text.is_err(), "{path}: {status} {text:?}");
    }
}

#[tokio::test]
async fn failures_that_a_model_server_tells_reach_the_client() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    qwen.inject(FaultKind::Refuse);
    let (status, code, _) = tgi_error(proxy.post("/generate", ask(4)).await).await;
    assert_eq!((status, code.as_str()), (429, "overloaded"));
    // Of a stream TGI tells it in an event; the client gets the status.
    let (status, code, _) = tgi_error(proxy.post("/generate_stream", ask(4)).await).await;
    assert_eq!((status, code.as_str()), (429, "overloaded"));
    qwen.recover();
    qwen.inject(FaultKind::ErrorEvent { tokens: 2 });
    let (status, code, _) = tgi_error(proxy.post("/v1/generate", ask(8)).await).await;
    assert_eq!((status, code.as_str()), (424, "generation"));
    let told = Told::by(proxy.post("/generate_stream", ask(8)).await).await;
    assert_eq!(told.events().last().unwrap()["error_type"], "generation");
    qwen.recover();
    qwen.inject(FaultKind::Status { status: 503 });
    assert_eq!(proxy.post("/generate_stream", ask(4)).await.status(), 503);
}

#[tokio::test]
async fn what_ended_how_is_counted() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen)
        .set("pools.qwen2.timeouts.head", "50ms")
        .set("pools.qwen2.timeouts.first_token", "5s")
        .start()
        .await;
    let counted = async |api: &str, end: &str| {
        let series = format!("headworks_gateway_exchanges_total{{api=\"{api}\",end=\"{end}\"}}");
        proxy.wait_for_metric(&series, 1.0).await;
    };
    proxy.post("/generate", ask(4)).await.text().await.unwrap();
    counted("tgi.generate", "ok").await;
    qwen.inject(FaultKind::ResetAfter { tokens: 2 });
    proxy
        .post("/generate_stream", ask(9))
        .await
        .text()
        .await
        .unwrap_err();
    counted("tgi.generate_stream", "upstream-error").await;
    qwen.recover();
    qwen.inject(FaultKind::Stall);
    proxy
        .post("/v1/generate", ask(9))
        .await
        .text()
        .await
        .unwrap();
    counted("unified", "timeout").await;
    proxy
        .post("/v1/completions", ask(9))
        .await
        .text()
        .await
        .unwrap();
    counted("openai.completions", "bad-request").await;
}
