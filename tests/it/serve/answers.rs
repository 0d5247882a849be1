//! Every API gives the model's answer in the shape that its clients know.

use headworks_tests::{ModelServer, Scripted, TestProxy, Told, http2_client};
use serde_json::{Value, json};

use crate::support::{ask, chat, unified};

async fn start() -> (ModelServer, TestProxy) {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    (qwen, proxy)
}

/// Posts to the gateway and to the model server; both answers.
async fn both(proxy: &TestProxy, model: &ModelServer, path: &str, body: &Value) -> [Value; 2] {
    let ours = proxy.post(path, body.clone()).await;
    let direct = proxy.client().post(model.url() + path).json(body).send();
    let mut answers = Vec::new();
    for answer in [ours, direct.await.unwrap()] {
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/json");
        answers.push(answer.json().await.unwrap());
    }
    answers.try_into().unwrap()
}

#[tokio::test]
async fn a_whole_answer_is_the_model_servers_own() {
    let (qwen, proxy) = start().await;
    for (path, body) in [
        ("/", ask(8)),
        ("/generate", ask(8)),
        ("/v1/chat/completions", chat("qwen2")),
        (
            "/v1/completions",
            json!({"model": "qwen2", "prompt": "hi", "max_tokens": 8}),
        ),
    ] {
        let [mut ours, mut direct] = both(&proxy, &qwen, path, &body).await;
        for answer in [&mut ours, &mut direct] {
            if let Some(answer) = answer.as_object_mut() {
                // The caller's name for the model, when it was made, and an id, which
                // TGI leaves empty, are the gateway's.
                answer.retain(|key, _| !["model", "created", "id"].contains(&key.as_str()));
            }
        }
        assert_eq!(ours, direct, "{path}");
    }
}

#[tokio::test]
async fn the_unified_answer_is_an_object_with_text_model_and_usage() {
    let (_qwen, proxy) = start().await;
    let request = proxy.request("/v1/generate", &unified("qwen2"));
    let answer = request.header("x-sim-out", "5").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert!(
        answer["generated_text"]
            .as_str()
            .unwrap()
            .starts_with("[qwen2]")
    );
    assert_eq!(answer["model_id"], "qwen2");
    let usage = json!({"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9});
    assert_eq!(answer["usage"], usage);
}

#[tokio::test]
async fn tgis_streams_end_with_the_text_and_no_done() {
    let (_qwen, proxy) = start().await;
    let mut streamed = ask(20);
    streamed["stream"] = true.into();
    for (path, body) in [
        ("/generate_stream", ask(20)),
        ("/", streamed.clone()),
        ("/v1/generate", streamed),
    ] {
        let request = proxy.request(path, &body).header("x-sim-out", "12");
        let told = Told::by(request.send().await.unwrap()).await;
        assert_eq!(told.events()[0]["token"]["text"], "[qwen2]", "{path}");
        let last = told.payloads.last().unwrap();
        // What this path answers includes the prompt, which no token does.
        let text = if path == "/" {
            last.contains("What is a river?")
        } else {
            told.is_whole(12)
        };
        assert!(
            text && told.broke.is_none() && !last.contains("[DONE]"),
            "{path}: {told:?}"
        );
        assert_eq!(told.payloads.len(), 12, "{path}");
    }
}

#[tokio::test]
async fn openais_streams_end_with_done() {
    let (_qwen, proxy) = start().await;
    let completion = json!({"model": "qwen2", "prompt": "hi", "max_tokens": 8});
    for (path, mut body) in [
        ("/v1/chat/completions", chat("qwen2")),
        ("/v1/completions", completion),
    ] {
        body["stream"] = true.into();
        let told = Told::by(proxy.post(path, body).await).await;
        assert_eq!(told.broke, None, "{path}");
        assert_eq!(
            told.payloads.last().map(String::as_str),
            Some("[DONE]"),
            "{path}"
        );
        let first = told.events().remove(0);
        let choice = &first["choices"][0];
        let text = choice["delta"]["content"]
            .as_str()
            .or(choice["text"].as_str());
        assert_eq!(text, Some("[qwen2]"), "{path}: {first}");
    }
}

#[tokio::test]
async fn a_request_over_http2_is_answered_too() {
    let (_qwen, proxy) = start().await;
    let client = http2_client();
    let ask_for = |path: &str| client.post(proxy.url(path)).json(&ask(8)).send();
    let answer = ask_for("/v1/generate").await.unwrap();
    assert_eq!(
        (answer.version(), answer.status().as_u16()),
        (reqwest::Version::HTTP_2, 200)
    );
    let answer: Value = answer.json().await.unwrap();
    assert!(
        answer["generated_text"]
            .as_str()
            .unwrap()
            .starts_with("[qwen2]")
    );
    let told = Told::by(ask_for("/generate_stream").await.unwrap()).await;
    assert!(told.is_whole(told.payloads.len()), "{told:?}");
}

#[tokio::test]
async fn requests_share_a_connection_over_http2() {
    let qwen = ModelServer::paced("qwen2", 10.0);
    let proxy = TestProxy::to(&qwen)
        .set("server.max_body", "64KiB")
        .start()
        .await;
    let client = http2_client();
    let request = client.post(proxy.url("/generate_stream")).json(&ask(20));
    let request = request.header("x-sim-out", 20);
    let streams = (0..30)
        .map(|_| async { Told::by(request.try_clone().unwrap().send().await.unwrap()).await });
    let large = client
        .post(proxy.url("/generate"))
        .body("x".repeat(65 << 10))
        .send();
    let (streams, large) = futures::join!(futures::future::join_all(streams), large);
    assert_eq!(large.unwrap().status(), 413);
    assert!(streams.iter().all(|told| told.is_whole(20)), "{streams:?}");
}

#[tokio::test]
async fn an_event_is_passed_on_before_the_next_one_comes() {
    let (passed_on, events) = tokio::sync::mpsc::channel::<()>(1);
    let events = std::sync::Arc::new(tokio::sync::Mutex::new(events));
    let upstream = Scripted::start(move |_, mut wire| {
        let events = events.clone();
        async move {
            wire.message().await;
            wire.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n").await;
            for number in 0..5 {
                wire.send(format!("9\r\ndata: {number}\n\n\r\n")).await;
                events.lock().await.recv().await.unwrap();
            }
            wire.send("0\r\n\r\n").await;
        }
    })
    .await;
    let proxy = TestProxy::new().scripted("odd", &upstream).start().await;
    let mut stream = proxy.stream(5).await;
    for number in 0..5 {
        let piece = stream.chunk().await.unwrap().unwrap();
        assert_eq!(piece, format!("data: {number}\n\n"));
        passed_on.send(()).await.unwrap();
    }
    assert_eq!(stream.chunk().await.unwrap(), None);
}
