//! One request of a user, and what came of it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::Args;
use crate::api::sse::Splitter;

/// Asks a gateway.
pub(super) struct Asker {
    client: Client,
    url: String,
    key: Option<String>,
    max_new_tokens: u32,
    streams: bool,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// Of which model.
    pub(super) model: &'a str,
    pub(super) scenario: &'a str,
    pub(super) prompt: &'a str,
}

/// What a user saw.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Until the answer's last byte, or until it failed.
    pub(super) took: Duration,
    /// Until the first token; of streams only.
    pub(super) first: Option<Duration>,
    /// New tokens.
    pub(super) tokens: u32,
    /// Why there is no answer, in a word or two; none if there is one.
    pub(super) failure: Option<String>,
}

/// The part of an event, or of a whole answer, that is looked at.
#[derive(Debug, Deserialize)]
struct Said {
    token: Option<serde::de::IgnoredAny>,
    generated_text: Option<String>,
    error: Option<serde::de::IgnoredAny>,
    error_type: Option<String>,
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Usage {
    completion_tokens: Option<u32>,
}

/// An answer as it comes.
#[derive(Default)]
struct Heard {
    first: Option<Instant>,
    tokens: u32,
    complete: bool,
    failure: Option<String>,
}

impl Asker {
    /// One that asks as the arguments say.
    ///
    /// # Errors
    /// When there is no HTTP client to be had.
    pub(super) fn new(args: &Args) -> Result<Self> {
        let client = Client::builder()
            .timeout(args.timeout)
            .build()
            .context("cannot make an HTTP client")?;
        Ok(Self {
            client,
            url: format!("{}/v1/generate", args.url.trim_end_matches('/')),
            key: args.key.clone(),
            max_new_tokens: args.max_new_tokens,
            streams: !args.whole,
        })
    }

    /// Asks, and reads the answer to its end.
    pub(super) async fn ask(&self, question: Question<'_>) -> Seen {
        let asked = Instant::now();
        let mut heard = Heard::default();
        let listened = self.listen(question, &mut heard).await;
        let failure = match listened {
            Err(error) => Some(kind(&error)),
            Ok(()) if heard.failure.is_some() => heard.failure,
            Ok(()) if !heard.complete => Some("answer not complete".to_owned()),
            Ok(()) => None,
        };
        Seen {
            took: asked.elapsed(),
            first: heard.first.map(|first| first.duration_since(asked)),
            tokens: heard.tokens,
            failure,
        }
    }

    async fn listen(
        &self,
        question: Question<'_>,
        heard: &mut Heard,
    ) -> Result<(), reqwest::Error> {
        let answer = self.request(question).send().await?;
        if answer.status() != StatusCode::OK {
            heard.failure = Some(refusal(answer).await);
            return Ok(());
        }
        if self.streams {
            return stream(answer, heard).await;
        }
        heard.reads(&answer.bytes().await?);
        Ok(())
    }

    fn request(&self, question: Question<'_>) -> RequestBuilder {
        let body = json!({
            "model_id": question.model,
            "inputs": question.prompt,
            "scenario": question.scenario,
            "parameters": {"max_new_tokens": self.max_new_tokens},
            "stream": self.streams,
        });
        let request = self.client.post(&self.url).json(&body);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }
}

async fn stream(mut answer: Response, heard: &mut Heard) -> Result<(), reqwest::Error> {
    let mut events = Splitter::default();
    while let Some(piece) = answer.chunk().await? {
        events.feed(&piece, |event, _| heard.reads(event));
    }
    Ok(())
}

impl Heard {
    /// An event of a stream, or a whole answer.
    fn reads(&mut self, json: &[u8]) {
        let Ok(said) = serde_json::from_slice::<Said>(json) else {
            self.failure = Some("answer is not JSON".to_owned());
            return;
        };
        if said.error.is_some() {
            let kind = said.error_type.unwrap_or_else(|| "error".to_owned());
            self.failure = Some(format!("in the stream: {kind}"));
        }
        if said.token.is_some() {
            self.first.get_or_insert_with(Instant::now);
            self.tokens += 1;
        }
        self.complete |= said.generated_text.is_some();
        if let Some(told) = said.usage.and_then(|usage| usage.completion_tokens) {
            self.tokens = told;
        }
    }
}

/// A refusal in a few words: `503 overloaded`.
async fn refusal(answer: Response) -> String {
    let status = answer.status().as_u16();
    let said = answer.json::<Said>().await.ok();
    match said.and_then(|said| said.error_type) {
        Some(kind) => format!("{status} {kind}"),
        None => status.to_string(),
    }
}

/// What went wrong on the way.
fn kind(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "cannot connect"
    } else {
        "connection broke"
    };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_and_an_end_makes_an_answer() {
        let mut heard = Heard::default();
        heard.reads(br#"{"index":1,"token":{"id":1,"text":"a"},"generated_text":null}"#);
        assert!(heard.first.is_some() && !heard.complete);
        heard.reads(br#"{"index":2,"token":{"id":2,"text":"b"},"generated_text":"ab"}"#);
        assert_eq!((heard.tokens, heard.complete), (2, true));
        assert_eq!(heard.failure, None);
    }

    #[test]
    fn a_whole_answer_says_how_many_tokens_it_has() {
        let mut heard = Heard::default();
        heard.reads(br#"{"generated_text":"ab","model_id":"m","usage":{"completion_tokens":7}}"#);
        assert_eq!((heard.tokens, heard.complete, heard.first), (7, true, None));
    }

    #[test]
    fn an_error_in_a_stream_is_a_failure() {
        let mut heard = Heard::default();
        heard.reads(br#"{"error":"it broke","error_type":"generation"}"#);
        assert_eq!(heard.failure.as_deref(), Some("in the stream: generation"));
        heard.reads(b"[]");
        assert_eq!(heard.failure.as_deref(), Some("answer is not JSON"));
    }
}
