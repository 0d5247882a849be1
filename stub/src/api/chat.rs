//! `/v1/chat/completions` and `/chat_tokenize`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::{App, FINGERPRINT};
use super::events::{self, Form};
use super::fields::{shown_model, unix_seconds, usage};
use super::incoming::{Context, Incoming};
use super::parameters::{Grammar, Parameters};
use super::prompts::{Message, prompt_of};
use super::whole::{self, Listed, Whole};
use crate::tokens;

/// Tools are accepted and not used: the stub never calls one.
#[derive(Debug, Deserialize)]
pub(super) struct ChatRequest {
    model: Option<String>,
    messages: Vec<Message>,
    #[serde(alias = "max_completion_tokens")]
    max_tokens: Option<u32>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: StreamOptions,
    temperature: Option<f32>,
    top_p: Option<f32>,
    seed: Option<u64>,
    #[serde(default)]
    stop: Option<Vec<String>>,
    logprobs: Option<bool>,
    top_logprobs: Option<u32>,
    presence_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
    response_format: Option<Grammar>,
}

#[derive(Debug, Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

pub(super) async fn completions(
    State(app): State<Arc<App>>,
    Incoming { body, context }: Incoming<ChatRequest>,
) -> Response {
    answer(app, body, context).await
}

pub(super) async fn tokenize(
    State(app): State<Arc<App>>,
    Json(request): Json<ChatRequest>,
) -> Response {
    app.metrics.count("tgi_request_count", "");
    let prompt = request.prompt();
    let tokens: Vec<_> = tokens::split(&prompt).collect();
    Json(json!({ "tokenize_response": tokens, "templated_text": prompt })).into_response()
}

pub(super) async fn answer(app: Arc<App>, request: ChatRequest, context: Context) -> Response {
    // The original counts a chat twice: here and where it becomes a generation.
    app.metrics.count("tgi_request_count", "");
    app.metrics.count("tgi_request_count", "");
    let prompt = request.prompt();
    let characters = prompt.chars().count();
    let parameters = request.parameters();
    let generation = app.admit(&prompt, &parameters, &context, request.stream);
    let model = shown_model(request.model.as_deref(), &app.options.model_id).to_owned();
    let top = parameters.top_n_tokens.unwrap_or(0);
    let logprobs = request.logprobs.unwrap_or(false);
    if request.stream {
        let form = Form::Chat {
            model,
            include_usage: request.stream_options.include_usage,
            logprobs: logprobs.then_some(top),
        };
        return events::respond(app, vec![generation], form, context, characters);
    }
    let listed = Listed {
        tokens: logprobs,
        top,
    };
    let whole = match generation {
        Ok(generation) => generation.whole(&app, &context, listed).await,
        Err(error) => Err(error),
    };
    match whole {
        Ok(whole) => whole::respond(
            whole::single_headers(&whole, characters),
            &completion(&whole, &model, logprobs),
            &context,
        ),
        Err(error) => error.into_response(),
    }
}

fn completion(whole: &Whole, model: &str, logprobs: bool) -> Value {
    json!({
        "object": "chat.completion",
        "id": "",
        "created": unix_seconds(),
        "model": model,
        "system_fingerprint": FINGERPRINT,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": whole.text },
            "logprobs": logprobs.then(|| logprob_list(whole)),
            "finish_reason": whole.finish.as_openai(),
        }],
        "usage": usage(whole.prompt_tokens, whole.generated_tokens),
    })
}

fn logprob_list(whole: &Whole) -> Value {
    let shown = |token: &Value| json!({ "token": token["text"], "logprob": token["logprob"] });
    let entries = whole.tokens.iter().enumerate().map(|(index, token)| {
        let top = whole
            .top_tokens
            .get(index)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut entry = shown(token);
        entry["top_logprobs"] = top.iter().map(shown).collect();
        entry
    });
    json!({ "content": entries.collect::<Vec<_>>() })
}

impl ChatRequest {
    fn prompt(&self) -> String {
        prompt_of(&self.messages)
    }

    fn parameters(&self) -> Parameters {
        let greedy = self.temperature == Some(0.0);
        Parameters {
            temperature: self.temperature.filter(|_| !greedy),
            do_sample: !greedy,
            // The original's mapping.
            repetition_penalty: self.presence_penalty.map(|penalty| penalty + 2.0),
            frequency_penalty: self.frequency_penalty,
            top_p: self.top_p,
            max_new_tokens: self.max_tokens,
            stop: self.stop.clone().unwrap_or_default(),
            seed: self.seed,
            details: true,
            top_n_tokens: self.top_logprobs,
            grammar: self.response_format.clone(),
            ..Parameters::default()
        }
    }
}
