//! Whole answers: what was told, the headers with times and counts, and the
//! faults that strike while the answer is written.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::Frame;
use serde::Serialize;
use serde_json::{Value, json};

use super::app::{App, COMPUTE_TYPE};
use super::error::ApiError;
use super::generation::{Generation, Times};
use super::incoming::Context;
use crate::faults::Kind;
use crate::script::{FinishReason, Token, alternatives};
use crate::socket::Socket;
use crate::tokens;

/// An answer told to its end.
pub(super) struct Whole {
    pub(super) text: String,
    pub(super) finish: FinishReason,
    /// The stop sequence that ended it.
    pub(super) stopped: Option<String>,
    pub(super) prompt_tokens: u32,
    pub(super) generated_tokens: u32,
    pub(super) seed: Option<u64>,
    /// One object a token, where they were asked for.
    pub(super) tokens: Vec<Value>,
    pub(super) top_tokens: Vec<Vec<Value>>,
    pub(super) times: Times,
}

/// Which tokens an answer lists beside its text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Listed {
    pub(super) tokens: bool,
    /// Alternatives to each.
    pub(super) top: u32,
}

impl Generation {
    /// Waits for the last token and tells the whole answer.
    pub(super) async fn whole(
        mut self,
        app: &App,
        context: &Context,
        listed: Listed,
    ) -> Result<Whole, ApiError> {
        self.ticket.finished().await;
        if matches!(context.fault, Some(Kind::ErrorEvent { .. })) {
            let error = ApiError::Generation("injected fault");
            app.metrics
                .count("tgi_request_failure", error.metric_label());
            return Err(error);
        }
        let times = self.succeeded(app);
        app.stats.told_prompts.add(self.prompt_tokens);
        app.stats.told_tokens.add(self.script.length());
        let (mut text, mut tokens, mut top_tokens) = (String::new(), Vec::new(), Vec::new());
        while !self.script.is_over() {
            let token = self.script.say();
            text.push_str(token.text);
            if listed.tokens {
                tokens.push(token_object(token));
                top_tokens.push(alternatives(token, listed.top).map(token_object).collect());
            }
        }
        Ok(Whole {
            text,
            finish: self.script.finish(),
            stopped: self.script.stopped().map(ToOwned::to_owned),
            prompt_tokens: self.prompt_tokens,
            generated_tokens: self.script.length(),
            seed: self.seed,
            tokens,
            top_tokens: if listed.top > 0 {
                top_tokens
            } else {
                Vec::new()
            },
            times,
        })
    }
}

/// A token as `details.tokens` lists it.
pub(super) fn token_object(token: Token<'_>) -> Value {
    let text = if token.special {
        token.escaped
    } else {
        token.text
    };
    json!({ "id": token.id, "text": text, "logprob": logprob(token.surprise), "special": token.special })
}

/// A log probability from its negative thousandths.
pub(super) fn logprob(surprise: u32) -> f64 {
    -f64::from(surprise) / 1000.0
}

/// The prompt's tokens, as `details.prefill` lists them.
pub(super) fn prefill_objects(prompt: &str) -> Vec<Value> {
    let logprob = |index| if index == 0 { Value::Null } else { json!(-1.5) };
    tokens::split(prompt)
        .enumerate()
        .map(|(index, token)| json!({ "id": token.id, "text": token.text, "logprob": logprob(index) }))
        .collect()
}

/// Headers of a whole answer; several prompts of one request add up.
pub(super) fn headers(wholes: &[Whole], characters: usize) -> HeaderMap {
    let sum = |part: fn(&Times) -> Duration| -> u64 {
        wholes
            .iter()
            .map(|whole| u64::try_from(part(&whole.times).as_millis()).unwrap_or(u64::MAX))
            .sum()
    };
    let count = |part: fn(&Whole) -> u32| -> u64 {
        wholes.iter().map(|whole| u64::from(part(whole))).sum()
    };
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert("x-compute-type", HeaderValue::from_static(COMPUTE_TYPE));
    headers.insert("x-compute-characters", characters.into());
    headers.insert("x-total-time", sum(|times| times.total).into());
    headers.insert("x-validation-time", sum(|times| times.validation).into());
    headers.insert("x-queue-time", sum(|times| times.queue).into());
    headers.insert("x-inference-time", sum(|times| times.inference).into());
    headers.insert("x-time-per-token", sum(|times| times.per_token).into());
    headers.insert("x-prompt-tokens", count(|whole| whole.prompt_tokens).into());
    headers.insert(
        "x-generated-tokens",
        count(|whole| whole.generated_tokens).into(),
    );
    headers
}

/// Headers of a single answer, with the one that several prompts do not have.
pub(super) fn single_headers(whole: &Whole, characters: usize) -> HeaderMap {
    let mut headers = headers(std::slice::from_ref(whole), characters);
    let seconds = whole.times.total.as_secs_f64().to_string();
    headers.insert(
        "x-compute-time",
        HeaderValue::from_str(&seconds).expect("a number is a header value"),
    );
    headers
}

/// Writes the answer, or what the fault leaves of it.
pub(super) fn respond(headers: HeaderMap, answer: &impl Serialize, context: &Context) -> Response {
    let json = Bytes::from(serde_json::to_vec(answer).expect("answers have string keys only"));
    let half = json.slice(..json.len() / 2);
    let body = match context.fault {
        Some(Kind::Garbage { .. }) => Body::from(half),
        Some(Kind::ResetAfter { .. }) => Body::new(Torn {
            half: Some(half),
            flushed: false,
            socket: context.socket.clone(),
        }),
        _ => Body::from(json.clone()),
    };
    let mut response = (headers, body).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if matches!(context.fault, Some(Kind::ResetAfter { .. })) {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, json.len().into());
    }
    response
}

/// Half an answer, then a reset.
struct Torn {
    half: Option<Bytes>,
    flushed: bool,
    socket: Socket,
}

impl http_body::Body for Torn {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !std::mem::replace(&mut self.flushed, true) {
            // Lets the half go out before the reset drops what is unsent.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.socket.reset();
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b" ")))))
    }
}
