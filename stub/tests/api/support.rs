//! A started stub and a client for it.

use std::time::Duration;

use headworks_stub::{Options, Running, Server, Snapshot};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

pub(crate) struct Stub {
    pub(crate) server: Running,
    client: reqwest::Client,
}

pub(crate) fn stub() -> Stub {
    stub_with(Options::named("qwen2"))
}

pub(crate) fn stub_with(options: Options) -> Stub {
    Stub {
        server: Server::start(options).unwrap(),
        client: reqwest::Client::new(),
    }
}

impl Stub {
    pub(crate) fn request(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client.post(self.server.url() + path).json(body)
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Response {
        self.request(path, &body).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client
            .get(self.server.url() + path)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn inject(&self, fault: Value) {
        assert_eq!(self.post("/_fault", fault).await.status(), 200);
    }

    pub(crate) async fn clear_faults(&self) {
        let response = self
            .client
            .delete(self.server.url() + "/_fault")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 204);
    }

    /// Waits until the counters are as `condition` wants them.
    pub(crate) async fn until(&self, condition: impl Fn(&Snapshot) -> bool) {
        let wait = async {
            while !condition(&self.server.stats()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
        assert!(waited.is_ok(), "still {:?}", self.server.stats());
    }
}

/// A request to TGI's routes for `tokens` tokens.
pub(crate) fn ask(tokens: u32) -> Value {
    json!({"inputs": "What is a river?", "parameters": {"max_new_tokens": tokens}})
}

/// The payloads of all events of a stream.
pub(crate) async fn payloads(response: Response) -> Vec<String> {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.unwrap();
    let events = text.strip_suffix("\n\n").unwrap().split("\n\n");
    events
        .map(|event| event.strip_prefix("data: ").unwrap().to_owned())
        .collect()
}

/// The events of a stream as JSON, without a final `[DONE]`.
pub(crate) async fn events(response: Response) -> Vec<Value> {
    let mut payloads = payloads(response).await;
    payloads.pop_if(|last| last == "[DONE]");
    payloads
        .iter()
        .map(|payload| serde_json::from_str(payload).unwrap())
        .collect()
}
