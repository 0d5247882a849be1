//! Answers of OpenAI's `/v1/completions`, whole or one chunk of a stream, and
//! what TGI would have said. Text goes over without being decoded.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Facts;
use super::json::{Object, array, inside, string};
use crate::api::usage::Usage;

/// An answer or a chunk of one.
#[derive(Debug, Deserialize)]
pub(super) struct Completion<'a> {
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

/// What was generated.
#[derive(Debug, Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    finish_reason: Option<String>,
    /// vLLM's word for what stopped it: a text, or the id of a token.
    #[serde(borrow)]
    stop_reason: Option<&'a RawValue>,
    /// SGLang's word for the same.
    #[serde(borrow)]
    matched_stop: Option<&'a RawValue>,
    #[serde(borrow)]
    logprobs: Option<&'a RawValue>,
}

/// The tokens of a choice. Their ids are not told.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Logprobs<'a> {
    #[serde(borrow)]
    tokens: Vec<&'a RawValue>,
    token_logprobs: Vec<Option<f64>>,
}

impl<'a> Completion<'a> {
    /// Reads an answer or a chunk; `None` when it is neither.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(data).ok()
    }

    /// What it cost, if that is told.
    pub(super) fn usage(&self) -> Option<Usage> {
        serde_json::from_str(self.usage?.get()).ok()
    }

    /// The one choice that was asked for.
    pub(super) fn into_choice(self) -> Option<Choice<'a>> {
        self.choices?.into_iter().next()
    }
}

impl<'a> Choice<'a> {
    /// The text: the inside of a JSON string.
    pub(super) fn text(&self) -> Option<&'a str> {
        inside(self.text?)
    }

    /// TGI's word for why it ended, if it has.
    pub(super) fn finish(&self) -> Option<&'static str> {
        let stopped_by = self.stop_reason.or(self.matched_stop);
        match self.finish_reason.as_deref()? {
            "" => None,
            "length" => Some("length"),
            _ if stopped_by.and_then(inside).is_some() => Some("stop_sequence"),
            _ => Some("eos_token"),
        }
    }

    /// The tokens, if the server tells of them in OpenAI's form.
    pub(super) fn logprobs(&self) -> Option<Logprobs<'a>> {
        serde_json::from_str(self.logprobs?.get()).ok()
    }
}

impl Logprobs<'_> {
    /// How many tokens there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.tokens.len()).unwrap_or(u32::MAX)
    }

    /// The logarithm of the probability of them all together.
    pub(super) fn sum(&self) -> f64 {
        // Not `sum`, whose nothing is -0.0.
        self.token_logprobs.iter().flatten().fold(0.0, |a, b| a + b)
    }

    /// As TGI lists them.
    fn to_tgi(&self) -> String {
        let logprobs = self.token_logprobs.iter().map(|told| told.unwrap_or(0.0));
        let tokens = self.tokens.iter().zip(logprobs);
        let tokens: Vec<String> = tokens
            .filter_map(|(text, logprob)| Some(token(inside(text)?, logprob, false)))
            .collect();
        array(&tokens)
    }
}

/// A token as TGI shows it. OpenAI servers do not tell ids; 0 stands for them.
pub(super) fn token(text: &str, logprob: f64, special: bool) -> String {
    Object::new()
        .with("id", "0")
        .with("text", &string(&[text]))
        .with("logprob", &serde_json::Value::from(logprob).to_string())
        .with("special", if special { "true" } else { "false" })
        .end()
}

/// TGI's whole answer for a choice that cost `usage`.
pub(super) fn whole(choice: &Choice<'_>, usage: Option<Usage>, facts: &Facts) -> Option<String> {
    let text = string(&[&facts.full_text, choice.text()?]);
    let mut answer = Object::new().with("generated_text", &text);
    if facts.details {
        let logprobs = choice.logprobs().unwrap_or_default();
        let generated = usage.map_or(logprobs.len(), |usage| usage.completion_tokens);
        let details = details(choice.finish(), generated, facts)
            .with("prefill", "[]")
            .with("tokens", &logprobs.to_tgi());
        answer.add("details", &details.end());
    }
    Some(answer.end())
}

/// What TGI's details begin with, whole and streamed.
pub(super) fn details(finish: Option<&str>, generated: u32, facts: &Facts) -> Object {
    let seed = facts
        .seed
        .map_or("null".to_owned(), |seed| seed.to_string());
    Object::new()
        .with("finish_reason", &string(&[finish.unwrap_or("eos_token")]))
        .with("generated_tokens", &generated.to_string())
        .with("seed", &seed)
}
