//! A client's view of the gateway.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use super::TestProxy;
use crate::Wire;

/// A client that speaks HTTP/2 without asking whether the other side does.
pub fn http2_client() -> reqwest::Client {
    let client = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge();
    client.build().expect("such a client can be made")
}

impl TestProxy {
    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// A client without proxies, redirects or retries.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// A request with a JSON body, to be sent.
    pub fn request(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client.post(self.url(path)).json(body)
    }

    /// Posts a JSON body.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn post(&self, path: &str, body: Value) -> Response {
        let sent = self.request(path, &body).send().await;
        sent.expect("clients are answered")
    }

    /// Gets a page.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Response {
        let sent = self.client.get(self.url(path)).send().await;
        sent.expect("clients are answered")
    }

    /// Asks the unified API for a whole answer to a text.
    pub async fn generate(&self, text: &str) -> Response {
        self.post("/v1/generate", prompt(text)).await
    }

    /// Asks OpenAI's chat API for a whole answer to a text.
    pub async fn chat(&self, text: &str) -> Response {
        let messages = json!([{"role": "user", "content": text}]);
        let body = json!({"model": "qwen2", "messages": messages, "max_tokens": 8});
        self.post("/v1/chat/completions", body).await
    }

    /// Opens TGI's stream of so many tokens.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn stream(&self, tokens: u32) -> Response {
        let body = json!({"inputs": "What is a river?", "parameters": {"max_new_tokens": tokens}});
        let request = self.request("/generate_stream", &body);
        let sent = request.header("x-sim-out", tokens).send().await;
        sent.expect("clients are answered")
    }

    /// A bare connection.
    pub async fn wire(&self) -> Wire {
        Wire::to(self.address()).await
    }
}

fn prompt(text: &str) -> Value {
    json!({"inputs": text, "parameters": {"max_new_tokens": 8}})
}
