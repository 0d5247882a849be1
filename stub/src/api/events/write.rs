//! Events in each route's own words. The parts that stay the same are written
//! once a stream; a token costs a copy and no allocation.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};
use serde_json::Value;

use super::super::app::FINGERPRINT;
use super::super::error::ApiError;
use super::super::fields::{unix_seconds, usage};
use super::super::generation::Generation;
use super::super::openai::chunks::Chunks;
use super::super::whole::logprob;
use crate::script::{Token, alternatives};

/// Which route's events are written.
pub(in crate::api) enum Form {
    /// `/generate_stream`.
    Tgi {
        /// The last event has details.
        details: bool,
        /// Alternatives shown for each token.
        top: u32,
        /// Put before the text of the last event.
        prompt: Option<String>,
    },
    /// `/v1/chat/completions`.
    Chat {
        /// Named in each event.
        model: String,
        /// A last event has the usage.
        include_usage: bool,
        /// Log probabilities are shown, with so many alternatives.
        logprobs: Option<u32>,
    },
    /// `/v1/completions`.
    Completion {
        /// Named in each event.
        model: String,
    },
    /// Both OpenAI routes of vLLM.
    OpenAi(Chunks),
}

pub(super) struct Writer {
    form: Form,
    /// What every event of the stream begins with.
    head: String,
    /// The answer so far, where the last event repeats it.
    text: String,
}

impl Writer {
    pub(super) fn new(form: Form) -> Self {
        let (object, model) = match &form {
            Form::Tgi { .. } | Form::OpenAi(_) => {
                return Self {
                    form,
                    head: String::new(),
                    text: String::new(),
                };
            }
            Form::Chat { model, .. } => ("chat.completion.chunk", model),
            Form::Completion { model } => ("text_completion", model),
        };
        let (model, created) = (Value::from(model.as_str()), unix_seconds());
        let head = format!(
            r#"data: {{"object":"{object}","id":"","created":{created},"model":{model},"system_fingerprint":"{FINGERPRINT}","choices":["#
        );
        Self {
            form,
            head,
            text: String::new(),
        }
    }

    /// Writes the event of the next token.
    pub(super) fn token(
        &mut self,
        buffer: &mut BytesMut,
        generation: &mut Generation,
        index: usize,
    ) {
        let written = match &mut self.form {
            Form::Tgi { .. } => self.tgi(buffer, generation),
            Form::Chat { .. } => self.chat(buffer, generation),
            Form::Completion { .. } => self.completion(buffer, generation, index),
            Form::OpenAi(chunks) => {
                chunks.token(buffer, generation, index);
                Ok(())
            }
        };
        written.expect("a buffer takes any text");
    }

    /// Writes a refusal or a failure.
    pub(super) fn error(&mut self, buffer: &mut BytesMut, error: &ApiError) {
        let body = match &mut self.form {
            Form::OpenAi(chunks) => chunks.failure(error),
            Form::Chat { .. } => error.chat_event(),
            Form::Tgi { .. } | Form::Completion { .. } => error.body(),
        };
        write!(buffer, "data: {body}\n\n").expect("a buffer takes any text");
    }

    /// Writes what follows the last event, after errors too.
    pub(super) fn end(&self, buffer: &mut BytesMut) {
        if let Form::OpenAi(chunks) = &self.form {
            chunks.end(buffer);
        }
        if !matches!(self.form, Form::Tgi { .. }) {
            buffer.put_slice(b"data: [DONE]\n\n");
        }
    }

    fn tgi(&mut self, buffer: &mut BytesMut, generation: &mut Generation) -> std::fmt::Result {
        let Form::Tgi {
            details,
            top,
            prompt,
        } = &self.form
        else {
            return Ok(());
        };
        let index = generation.script.said() + 1;
        let token = generation.script.say();
        self.text.push_str(token.text);
        write!(buffer, r#"data: {{"index":{index},"token":"#)?;
        token_object(buffer, token)?;
        if *top > 0 {
            buffer.put_slice(b",\"top_tokens\":[");
            for (rank, other) in alternatives(token, *top).enumerate() {
                buffer.put_slice(if rank > 0 { b"," } else { b"" });
                token_object(buffer, other)?;
            }
            buffer.put_u8(b']');
        }
        if !generation.script.is_over() {
            buffer.put_slice(b",\"generated_text\":null,\"details\":null}\n\n");
            return Ok(());
        }
        let text = Value::from([prompt.as_deref().unwrap_or_default(), &self.text].concat());
        let script = &generation.script;
        let details = details.then(|| {
            serde_json::json!({
                "finish_reason": script.finish(),
                "generated_tokens": script.length(),
                "seed": generation.seed,
                "input_length": generation.prompt_tokens,
            })
        });
        write!(
            buffer,
            ",\"generated_text\":{text},\"details\":{}}}\n\n",
            Value::from(details)
        )
    }

    fn chat(&mut self, buffer: &mut BytesMut, generation: &mut Generation) -> std::fmt::Result {
        let Form::Chat {
            include_usage,
            logprobs,
            ..
        } = &self.form
        else {
            return Ok(());
        };
        let token = generation.script.say();
        buffer.put_slice(self.head.as_bytes());
        buffer.put_slice(b"{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"");
        buffer.put_slice(content(token).as_bytes());
        buffer.put_slice(b"\"},\"logprobs\":");
        match logprobs {
            None => buffer.put_slice(b"null"),
            Some(top) => logprob_object(buffer, token, *top)?,
        }
        buffer.put_slice(b",\"finish_reason\":");
        if !generation.script.is_over() {
            buffer.put_slice(b"null}],\"usage\":null}\n\n");
            return Ok(());
        }
        let finish = generation.script.finish().as_openai();
        write!(buffer, "\"{finish}\"}}],\"usage\":null}}\n\n")?;
        if *include_usage {
            let usage = usage(generation.prompt_tokens, generation.script.length());
            write!(buffer, "{}],\"usage\":{usage}}}\n\n", self.head)?;
        }
        Ok(())
    }

    fn completion(
        &self,
        buffer: &mut BytesMut,
        generation: &mut Generation,
        index: usize,
    ) -> std::fmt::Result {
        let token = generation.script.say();
        let text = content(token);
        write!(
            buffer,
            "{}{{\"index\":{index},\"text\":\"{text}\",\"logprobs\":null,\"finish_reason\":",
            self.head
        )?;
        if !generation.script.is_over() {
            buffer.put_slice(b"\"\"}]}\n\n");
            return Ok(());
        }
        let finish = generation.script.finish().as_openai();
        let usage = usage(generation.prompt_tokens, generation.script.length());
        write!(buffer, "\"{finish}\"}}],\"usage\":{usage}}}\n\n")
    }
}

/// The OpenAI routes do not show the end token.
fn content(token: Token<'_>) -> &str {
    if token.special { "" } else { token.escaped }
}

fn token_object(buffer: &mut BytesMut, token: Token<'_>) -> std::fmt::Result {
    let Token {
        id,
        escaped,
        surprise,
        special,
        ..
    } = token;
    let logprob = logprob(surprise);
    write!(
        buffer,
        r#"{{"id":{id},"text":"{escaped}","logprob":{logprob},"special":{special}}}"#
    )
}

fn logprob_object(buffer: &mut BytesMut, token: Token<'_>, top: u32) -> std::fmt::Result {
    let entry = |buffer: &mut BytesMut, token: Token<'_>| {
        write!(
            buffer,
            r#"{{"token":"{}","logprob":{}"#,
            token.escaped,
            logprob(token.surprise)
        )
    };
    buffer.put_slice(b"{\"content\":[");
    entry(buffer, token)?;
    buffer.put_slice(b",\"top_logprobs\":[");
    for (rank, other) in alternatives(token, top).enumerate() {
        buffer.put_slice(if rank > 0 { b"," } else { b"" });
        entry(buffer, other)?;
        buffer.put_u8(b'}');
    }
    buffer.put_slice(b"]}]}");
    Ok(())
}
