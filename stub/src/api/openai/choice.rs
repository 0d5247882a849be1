//! A choice, as a whole answer and a chunk have it.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::whole::Whole;
use super::finish::finish_reason;
use super::request::Asked;
use super::route::Route;

#[derive(Serialize)]
pub(super) struct Choice<'a> {
    pub(super) index: usize,
    #[serde(flatten)]
    pub(super) said: Said<'a>,
    pub(super) logprobs: Option<Value>,
    pub(super) finish_reason: Option<&'static str>,
    /// Left out of the chunks of a chat but for the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_reason: Option<Value>,
}

/// Where the text stands.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said<'a> {
    Message(Message<'a>),
    Delta(Message<'a>),
    Text(&'a str),
}

#[derive(Serialize)]
pub(super) struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    pub(super) content: &'a str,
}

impl<'a> Choice<'a> {
    /// A told answer.
    pub(super) fn whole(asked: &Asked, index: usize, whole: &'a Whole) -> Self {
        let said = match asked.route {
            Route::Chat => Said::Message(Message {
                role: Some("assistant"),
                content: &whole.text,
            }),
            Route::Completions => Said::Text(&whole.text),
        };
        let logprobs = asked
            .listed
            .map(|_| logprobs(asked.route, &whole.tokens, &whole.top_tokens, 0));
        Self {
            index,
            said,
            logprobs,
            finish_reason: Some(finish_reason(whole.finish)),
            stop_reason: Some(json!(whole.stopped)),
        }
    }
}

/// Log probabilities of tokens, each with its alternatives where there are any.
/// `offset` is where the first token stands in the answer, in characters.
pub(super) fn logprobs(route: Route, tokens: &[Value], top: &[Vec<Value>], offset: usize) -> Value {
    let alternatives = |index: usize| top.get(index).map(Vec::as_slice).unwrap_or_default();
    let listed = tokens.iter().enumerate();
    match route {
        Route::Chat => {
            let entries = listed.map(|(index, token)| {
                let mut entry = chat_entry(token);
                entry["top_logprobs"] = alternatives(index).iter().map(chat_entry).collect();
                entry
            });
            json!({ "content": entries.collect::<Vec<_>>() })
        }
        Route::Completions => {
            let offsets = tokens.iter().scan(offset, |at, token| {
                let start = *at;
                *at += text_of(token).chars().count();
                Some(start)
            });
            let top = listed.map(|(index, token)| {
                // The token itself is always among them.
                let shown = std::iter::once(token).chain(alternatives(index));
                let pairs = shown.map(|one| (text_of(one).to_owned(), one["logprob"].clone()));
                pairs.collect::<Map<_, _>>()
            });
            json!({
                "text_offset": offsets.collect::<Vec<_>>(),
                "token_logprobs": tokens.iter().map(|token| &token["logprob"]).collect::<Vec<_>>(),
                "tokens": tokens.iter().map(|token| &token["text"]).collect::<Vec<_>>(),
                "top_logprobs": top.collect::<Vec<_>>(),
            })
        }
    }
}

fn chat_entry(token: &Value) -> Value {
    json!({
        "token": token["text"],
        "logprob": token["logprob"],
        "bytes": text_of(token).as_bytes(),
    })
}

fn text_of(token: &Value) -> &str {
    token["text"].as_str().unwrap_or_default()
}
