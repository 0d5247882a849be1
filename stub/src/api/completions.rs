//! `/v1/completions`, with one prompt or several.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::{App, FINGERPRINT};
use super::error::ApiError;
use super::events::{self, Form};
use super::fields::{shown_model, unix_seconds, usage};
use super::incoming::{Context, Incoming};
use super::parameters::Parameters;
use super::prompts::Prompts;
use super::whole::{self, Listed, Whole};

#[derive(Debug, Deserialize)]
pub(super) struct CompletionRequest {
    model: Option<String>,
    prompt: Prompts,
    max_tokens: Option<u32>,
    #[serde(default)]
    stream: bool,
    temperature: Option<f32>,
    top_p: Option<f32>,
    seed: Option<u64>,
    stop: Option<Vec<String>>,
    suffix: Option<String>,
    repetition_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
}

pub(super) async fn completions(
    State(app): State<Arc<App>>,
    Incoming { body, context }: Incoming<CompletionRequest>,
) -> Response {
    answer(app, body, context).await
}

pub(super) async fn answer(
    app: Arc<App>,
    request: CompletionRequest,
    context: Context,
) -> Response {
    app.metrics.count("tgi_request_count", "");
    if let Err(error) = request.check(app.options.limits.max_client_batch_size) {
        app.stats.refused.add_one();
        app.metrics
            .count("tgi_request_failure", error.metric_label());
        return error.into_response();
    }
    let prompts = request.prompt.as_slice();
    let characters = prompts.iter().map(|prompt| prompt.chars().count()).sum();
    let model = shown_model(request.model.as_deref(), &app.options.model_id).to_owned();
    let parameters = request.parameters();
    let generations = prompts.iter().map(|prompt| {
        app.metrics.count("tgi_request_count", "");
        app.admit(prompt, &parameters, &context, request.stream)
    });
    if request.stream {
        let generations = generations.collect();
        return events::respond(
            app.clone(),
            generations,
            Form::Completion { model },
            context,
            characters,
        );
    }
    let wholes = match generations.collect::<Result<Vec<_>, _>>() {
        Ok(generations) => {
            let wholes = generations
                .into_iter()
                .map(|one| one.whole(&app, &context, Listed::default()));
            try_join_all(wholes).await
        }
        Err(error) => Err(error),
    };
    match wholes {
        Ok(wholes) => whole::respond(
            whole::headers(&wholes, characters),
            &completion(&wholes, &model),
            &context,
        ),
        Err(error) => error.into_response(),
    }
}

fn completion(wholes: &[Whole], model: &str) -> Value {
    let choices = wholes.iter().enumerate().map(|(index, whole)| {
        json!({
            "finish_reason": whole.finish.as_openai(),
            "index": index,
            "logprobs": null,
            "text": whole.text,
        })
    });
    json!({
        "object": "text_completion",
        "id": "",
        "created": unix_seconds(),
        "model": model,
        "system_fingerprint": FINGERPRINT,
        "choices": choices.collect::<Vec<_>>(),
        "usage": usage(
            wholes.iter().map(|whole| whole.prompt_tokens).sum(),
            wholes.iter().map(|whole| whole.generated_tokens).sum(),
        ),
    })
}

impl CompletionRequest {
    fn check(&self, most_prompts: usize) -> Result<(), ApiError> {
        if self.suffix.is_some() {
            return Err(ApiError::Suffix);
        }
        if self.prompt.as_slice().len() > most_prompts {
            return Err(ApiError::BatchSize(most_prompts));
        }
        Ok(())
    }

    fn parameters(&self) -> Parameters {
        let greedy = self.temperature == Some(0.0);
        Parameters {
            temperature: self.temperature.filter(|_| !greedy),
            do_sample: !greedy,
            repetition_penalty: self.repetition_penalty,
            frequency_penalty: self.frequency_penalty,
            top_p: self.top_p,
            max_new_tokens: self.max_tokens.or(Some(100)),
            stop: self.stop.clone().unwrap_or_default(),
            seed: self.seed,
            details: true,
            ..Parameters::default()
        }
    }
}
