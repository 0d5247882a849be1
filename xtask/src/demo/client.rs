//! What the demo sends and what it gets, over HTTP.

use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use ureq::Agent;

/// Longer than any answer of a stub takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of the gateway that keeps its connections.
#[derive(Clone)]
pub(super) struct Client {
    agent: Agent,
    gateway: String,
    admin: String,
}

/// An answer, whole.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    /// From the request's first byte to the answer's last.
    pub(super) took: Duration,
}

impl Client {
    /// A client of the gateway at these URLs.
    pub(super) fn new(gateway: &str, admin: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build();
        Self {
            agent: config.into(),
            gateway: gateway.to_owned(),
            admin: admin.to_owned(),
        }
    }

    /// Asks a model, through `POST /v1/generate`.
    pub(super) fn generate(&self, request: &Value) -> Result<Answer> {
        let started = Instant::now();
        let mut response = self
            .agent
            .post(format!("{}/v1/generate", self.gateway))
            .send_json(request)?;
        let body = response
            .body_mut()
            .read_json()
            .context("the answer is not JSON")?;
        Ok(Answer {
            status: response.status().as_u16(),
            body,
            took: started.elapsed(),
        })
    }

    /// Asks for a stream; `on_event` gets the JSON of each event as it comes.
    pub(super) fn stream(&self, request: &Value, mut on_event: impl FnMut(&Value)) -> Result<()> {
        let response = self
            .agent
            .post(format!("{}/v1/generate", self.gateway))
            .send_json(request)?;
        ensure!(
            response.status() == 200,
            "a stream was answered with {}",
            response.status()
        );
        for line in BufReader::new(response.into_body().into_reader()).lines() {
            let line = line.context("the stream broke off")?;
            match line.strip_prefix("data:").map(str::trim) {
                Some("[DONE]") => break,
                Some(data) => {
                    on_event(&serde_json::from_str(data).context("an event is not JSON")?);
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Reads a page of the admin listener.
    pub(super) fn admin(&self, path: &str) -> Result<String> {
        let mut response = self.agent.get(format!("{}{path}", self.admin)).call()?;
        ensure!(
            response.status() == 200,
            "{path} was answered with {}",
            response.status()
        );
        Ok(response.body_mut().read_to_string()?)
    }
}

/// A request for a few tokens, in the gateway's own dialect.
pub(super) fn request(model: &str, inputs: &str) -> Value {
    json!({
        "model_id": model,
        "inputs": inputs,
        "scenario": "chat",
        "parameters": {"max_new_tokens": 24, "temperature": 0.7, "top_p": 0.9},
    })
}

impl Answer {
    /// Fails unless the stub that serves `model` generated this.
    pub(super) fn expect_from(&self, model: &str) -> Result<()> {
        ensure!(
            self.status == 200,
            "expected an answer by {model}, got {}: {}",
            self.status,
            self.body
        );
        match self.body["generated_text"].as_str() {
            Some(text) if text.starts_with(&format!("[{model}] ")) => Ok(()),
            Some(text) => bail!("expected an answer by {model}, got: {text}"),
            None => bail!("an answer without `generated_text`: {}", self.body),
        }
    }
}
