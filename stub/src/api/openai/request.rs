//! What is asked of the two routes, read from vLLM's bodies and judged by its
//! rules. Members that the stub has no use for are ignored, as vLLM ignores
//! those that it does not know.

use serde::Deserialize;

use super::super::error::ApiError;
use super::super::parameters::Parameters;
use super::super::prompts::{Message, Prompts, prompt_of};
use super::error::refuse;
use super::route::Route;
use crate::script::StopRule;

/// Tokens of an answer to `/v1/completions` that names no cap.
const DEFAULT_MAX_TOKENS: u32 = 16;

#[derive(Debug, Deserialize)]
pub(super) struct ChatRequest {
    messages: Vec<Message>,
    max_completion_tokens: Option<u32>,
    logprobs: Option<bool>,
    top_logprobs: Option<u32>,
    #[serde(flatten)]
    common: Common,
}

#[derive(Debug, Deserialize)]
pub(super) struct CompletionRequest {
    prompt: Prompts,
    logprobs: Option<u32>,
    truncate_prompt_tokens: Option<u32>,
    #[serde(flatten)]
    common: Common,
}

/// What both routes take.
#[derive(Debug, Deserialize)]
struct Common {
    model: Option<String>,
    n: Option<usize>,
    max_tokens: Option<u32>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<i32>,
    repetition_penalty: Option<f32>,
    presence_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
    seed: Option<i64>,
    stop: Option<Sequences>,
    include_stop_str_in_output: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Sequences {
    One(String),
    Many(Vec<String>),
}

/// What either route asks for.
pub(super) struct Asked {
    pub(super) route: Route,
    pub(super) prompts: Vec<String>,
    /// Answers to each prompt.
    pub(super) candidates: usize,
    pub(super) parameters: Parameters,
    pub(super) stream: bool,
    /// The stream ends with the usage.
    pub(super) include_usage: bool,
    /// Log probabilities are shown, with so many alternatives.
    pub(super) listed: Option<u32>,
    model: Option<String>,
    presence_penalty: Option<f32>,
    stray_stream_options: bool,
}

impl From<ChatRequest> for Asked {
    fn from(request: ChatRequest) -> Self {
        let listed = request.logprobs.unwrap_or(false);
        let mut asked = request.common.asked(Route::Chat);
        asked.prompts = vec![prompt_of(&request.messages)];
        asked.listed = listed.then_some(request.top_logprobs.unwrap_or(0));
        let cap = &mut asked.parameters.max_new_tokens;
        *cap = request.max_completion_tokens.or(*cap);
        asked
    }
}

impl From<CompletionRequest> for Asked {
    fn from(request: CompletionRequest) -> Self {
        let mut asked = request.common.asked(Route::Completions);
        asked.prompts = request.prompt.as_slice().to_vec();
        asked.listed = request.logprobs;
        asked.parameters.truncate = request.truncate_prompt_tokens;
        asked
            .parameters
            .max_new_tokens
            .get_or_insert(DEFAULT_MAX_TOKENS);
        asked
    }
}

impl Common {
    fn asked(self, route: Route) -> Asked {
        let stream = self.stream.unwrap_or(false);
        let options = self.stream_options.as_ref();
        Asked {
            route,
            prompts: Vec::new(),
            candidates: self.n.unwrap_or(1),
            stream,
            include_usage: options.is_some_and(|options| options.include_usage.unwrap_or(true)),
            listed: None,
            stray_stream_options: options.is_some() && !stream,
            presence_penalty: self.presence_penalty,
            parameters: self.parameters(),
            model: self.model,
        }
    }

    fn parameters(&self) -> Parameters {
        let sequences = match &self.stop {
            None => Vec::new(),
            Some(Sequences::One(sequence)) => vec![sequence.clone()],
            Some(Sequences::Many(sequences)) => sequences.clone(),
        };
        Parameters {
            temperature: self.temperature,
            do_sample: self.temperature != Some(0.0),
            top_p: self.top_p,
            top_k: self.top_k,
            repetition_penalty: self.repetition_penalty,
            frequency_penalty: self.frequency_penalty,
            max_new_tokens: self.max_tokens,
            seed: self.seed.map(i64::cast_unsigned),
            stop: sequences,
            stop_rule: if self.include_stop_str_in_output == Some(true) {
                StopRule::Keep
            } else {
                StopRule::Cut
            },
            ..Parameters::default()
        }
    }
}

impl Asked {
    /// All rules but those about the length of prompt and answer.
    pub(super) fn check(&self, own_model: &str) -> Result<(), ApiError> {
        if let Some(model) = self.model.as_ref().filter(|model| *model != own_model) {
            return Err(ApiError::NoModel(model.clone()));
        }
        refuse(self.stray_stream_options, Some("stream_options"), || {
            "Stream options can only be defined when `stream=True`.".to_owned()
        })?;
        refuse(self.prompts.iter().any(String::is_empty), None, || {
            "Either prompt or prompt_embeds must be provided and non-empty.".to_owned()
        })?;
        self.check_sampling()?;
        self.check_counts()
    }

    fn check_sampling(&self) -> Result<(), ApiError> {
        let Parameters {
            temperature,
            top_p,
            top_k,
            repetition_penalty,
            frequency_penalty,
            ..
        } = self.parameters;
        number(
            temperature,
            |value| value >= 0.0,
            "temperature must be non-negative, got",
        )?;
        number(
            top_p,
            |value| value > 0.0 && value <= 1.0,
            "top_p must be in (0, 1], got",
        )?;
        number(
            repetition_penalty,
            |value| value > 0.0,
            "repetition_penalty must be greater than zero, got",
        )?;
        for (penalty, rule) in [
            (
                self.presence_penalty,
                "presence_penalty must be in [-2, 2], got",
            ),
            (
                frequency_penalty,
                "frequency_penalty must be in [-2, 2], got",
            ),
        ] {
            number(penalty, |value| (-2.0..=2.0).contains(&value), rule)?;
        }
        let top_k = top_k.filter(|top_k| *top_k < -1);
        refuse(top_k.is_some(), None, || {
            format!(
                "top_k must be 0 (disable), or at least 1, got {}.",
                top_k.unwrap_or(0)
            )
        })
    }

    fn check_counts(&self) -> Result<(), ApiError> {
        refuse(self.candidates == 0, None, || {
            "n must be at least 1, got 0.".to_owned()
        })?;
        refuse(
            self.candidates > 1 && !self.parameters.do_sample,
            None,
            || {
                format!(
                    "n must be 1 when using greedy sampling, got {}.",
                    self.candidates
                )
            },
        )?;
        refuse(self.parameters.max_new_tokens == Some(0), None, || {
            "max_tokens must be at least 1, got 0.".to_owned()
        })?;
        refuse(
            self.parameters.stop.iter().any(String::is_empty),
            None,
            || "stop cannot contain an empty string.".to_owned(),
        )
    }
}

fn number(value: Option<f32>, holds: impl Fn(f32) -> bool, rule: &str) -> Result<(), ApiError> {
    match value {
        Some(value) if !holds(value) => refuse(true, None, || format!("{rule} {value:?}.")),
        _ => Ok(()),
    }
}
