//! The chunks of a stream.

use bytes::{BufMut, BytesMut};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::fields::usage;
use super::super::generation::Generation;
use super::super::whole::token_object;
use super::choice::{Choice, Message, Said, logprobs};
use super::envelope::Envelope;
use super::error::body;
use super::finish::finish_reason;
use super::request::Asked;
use super::route::Route;
use crate::script::{Token, alternatives};

/// Writes a stream chunk by chunk.
pub(in crate::api) struct Chunks {
    envelope: Envelope,
    route: Route,
    listed: Option<u32>,
    include_usage: bool,
    prompt_tokens: u32,
    completion_tokens: u32,
    /// Characters told of each choice.
    told: Vec<usize>,
    failed: bool,
}

#[derive(Serialize)]
struct Chunk<'a> {
    #[serde(flatten)]
    envelope: &'a Envelope,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
}

impl Chunks {
    pub(super) fn new(envelope: Envelope, asked: &Asked, prompt_tokens: u32) -> Self {
        Self {
            envelope,
            route: asked.route,
            listed: asked.listed,
            include_usage: asked.include_usage,
            prompt_tokens,
            completion_tokens: 0,
            told: vec![0; asked.prompts.len() * asked.candidates],
            failed: false,
        }
    }

    /// Writes the chunk of the next token; a chat begins with one that has the role only.
    pub(in crate::api) fn token(
        &mut self,
        buffer: &mut BytesMut,
        generation: &mut Generation,
        index: usize,
    ) {
        let script = &mut generation.script;
        if script.said() == 0 && self.route == Route::Chat {
            self.write(buffer, &[Choice::role(index)]);
        }
        let last = script.said() + 1 == script.length();
        let finish_reason = last.then(|| finish_reason(script.finish()));
        let stop_reason = last.then(|| json!(script.stopped()));
        let token = script.say();
        let choice = Choice {
            index,
            said: match self.route {
                Route::Chat => Said::Delta(Message {
                    role: None,
                    content: token.text,
                }),
                Route::Completions => Said::Text(token.text),
            },
            logprobs: self.logprobs(token, index),
            finish_reason,
            stop_reason: match self.route {
                Route::Chat => stop_reason,
                Route::Completions => Some(stop_reason.into()),
            },
        };
        self.write(buffer, &[choice]);
        self.completion_tokens += 1;
        self.told[index] += token.text.chars().count();
    }

    /// The error that ends the stream.
    pub(in crate::api) fn failure(&mut self, error: &ApiError) -> Value {
        self.failed = true;
        body(error)
    }

    /// Writes the usage, where it was asked for and nothing failed.
    pub(in crate::api) fn end(&self, buffer: &mut BytesMut) {
        if self.include_usage && !self.failed {
            let usage = usage(self.prompt_tokens, self.completion_tokens);
            self.write_chunk(buffer, &[], Some(usage));
        }
    }

    fn write(&self, buffer: &mut BytesMut, choices: &[Choice<'_>]) {
        let usage = match self.route {
            Route::Chat => None,
            Route::Completions => Some(Value::Null),
        };
        self.write_chunk(buffer, choices, usage);
    }

    fn write_chunk(&self, buffer: &mut BytesMut, choices: &[Choice<'_>], usage: Option<Value>) {
        let chunk = Chunk {
            envelope: &self.envelope,
            choices,
            usage,
        };
        buffer.put_slice(b"data: ");
        serde_json::to_writer((&mut *buffer).writer(), &chunk).expect("a buffer takes any text");
        buffer.put_slice(b"\n\n");
    }

    fn logprobs(&self, token: Token<'_>, index: usize) -> Option<Value> {
        let top = alternatives(token, self.listed?).map(token_object);
        Some(logprobs(
            self.route,
            &[token_object(token)],
            &[top.collect()],
            self.told[index],
        ))
    }
}

impl Choice<'_> {
    fn role(index: usize) -> Self {
        Self {
            index,
            said: Said::Delta(Message {
                role: Some("assistant"),
                content: "",
            }),
            logprobs: None,
            finish_reason: None,
            stop_reason: None,
        }
    }
}
