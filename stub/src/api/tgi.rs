//! TGI's own routes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::app::App;
use super::chat::{self, ChatRequest};
use super::completions::{self, CompletionRequest};
use super::error::ApiError;
use super::events::{self, Form};
use super::incoming::{Context, Incoming};
use super::parameters::Parameters;
use super::whole::{self, Listed, Whole};
use crate::tokens;

#[derive(Debug, Deserialize)]
pub(super) struct GenerateRequest {
    inputs: String,
    #[serde(default = "Parameters::absent")]
    parameters: Parameters,
}

#[derive(Debug, Deserialize)]
pub(super) struct CompatRequest {
    #[serde(flatten)]
    request: GenerateRequest,
    #[serde(default)]
    stream: bool,
}

/// SageMaker's one route for everything, told apart by its fields in this order.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Invocation {
    Generate(CompatRequest),
    Chat(ChatRequest),
    Completion(CompletionRequest),
}

#[derive(Serialize)]
struct Answer {
    generated_text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
}

pub(super) async fn generate(
    State(app): State<Arc<App>>,
    Incoming { body, context }: Incoming<GenerateRequest>,
) -> Response {
    answer(&app, &body, &context, false).await
}

pub(super) async fn generate_stream(
    State(app): State<Arc<App>>,
    Incoming { body, context }: Incoming<GenerateRequest>,
) -> Response {
    stream(app, &body, context)
}

pub(super) async fn compat_generate(
    State(app): State<Arc<App>>,
    Incoming { body, context }: Incoming<CompatRequest>,
) -> Response {
    compat(app, body, context).await
}

pub(super) async fn invocations(
    State(app): State<Arc<App>>,
    Incoming { body, context }: Incoming<Invocation>,
) -> Response {
    match body {
        Invocation::Generate(request) => compat(app, request, context).await,
        Invocation::Chat(request) => chat::answer(app, request, context).await,
        Invocation::Completion(request) => completions::answer(app, request, context).await,
    }
}

pub(super) async fn tokenize(Json(request): Json<GenerateRequest>) -> Response {
    Json(tokens::split(&request.inputs).collect::<Vec<_>>()).into_response()
}

async fn compat(app: Arc<App>, mut body: CompatRequest, context: Context) -> Response {
    // The stub's pipeline tag is not known to the hub, so the prompt comes back.
    body.request.parameters.return_full_text.get_or_insert(true);
    if body.stream {
        stream(app, &body.request, context)
    } else {
        answer(&app, &body.request, &context, true).await
    }
}

async fn answer(
    app: &App,
    request: &GenerateRequest,
    context: &Context,
    as_list: bool,
) -> Response {
    app.metrics.count("tgi_request_count", "");
    let wholes = match candidates(app, request, context).await {
        Ok(wholes) => wholes,
        Err(error) => return error.into_response(),
    };
    // The likeliest would be first; here they are alike.
    let (best, others) = wholes.split_first().expect("there is a candidate at least");
    let headers = whole::single_headers(best, request.inputs.chars().count());
    let answer = request.answer(best, others);
    if as_list {
        whole::respond(headers, &[answer], context)
    } else {
        whole::respond(headers, &answer, context)
    }
}

/// As many answers as `best_of` asks for, all at once, each in its own slot.
async fn candidates(
    app: &App,
    request: &GenerateRequest,
    context: &Context,
) -> Result<Vec<Whole>, ApiError> {
    let GenerateRequest { inputs, parameters } = request;
    let listed = request.listed();
    let mut generations = Vec::new();
    for candidate in 0..parameters.best_of.unwrap_or(1).max(1) as u64 {
        let context = Context {
            candidate,
            ..context.clone()
        };
        generations.push(app.admit(inputs, parameters, &context, false)?);
    }
    try_join_all(
        generations
            .into_iter()
            .map(|generation| generation.whole(app, context, listed)),
    )
    .await
}

fn stream(app: Arc<App>, request: &GenerateRequest, context: Context) -> Response {
    let GenerateRequest { inputs, parameters } = request;
    app.metrics.count("tgi_request_count", "");
    let form = Form::Tgi {
        details: parameters.details,
        top: parameters.top_n_tokens.unwrap_or(0),
        prompt: parameters
            .return_full_text
            .unwrap_or(false)
            .then(|| inputs.clone()),
    };
    let generation = app.admit(inputs, parameters, &context, true);
    events::respond(app, vec![generation], form, context, inputs.chars().count())
}

impl GenerateRequest {
    fn listed(&self) -> Listed {
        let Parameters {
            details,
            decoder_input_details,
            top_n_tokens,
            ..
        } = self.parameters;
        Listed {
            tokens: details || decoder_input_details,
            top: top_n_tokens.unwrap_or(0),
        }
    }

    fn answer(&self, best: &Whole, others: &[Whole]) -> Answer {
        let details = self.listed().tokens.then(|| {
            let mut details = self.details(best);
            if !others.is_empty() {
                let others = others.iter().map(|other| {
                    let mut sequence = self.details(other);
                    sequence.insert("generated_text".to_owned(), self.text(&other.text).into());
                    Value::Object(sequence)
                });
                details.insert("best_of_sequences".to_owned(), others.collect());
            }
            Value::Object(details)
        });
        Answer {
            generated_text: self.text(&best.text),
            details,
        }
    }

    fn text(&self, generated: &str) -> String {
        let prompt = if self.parameters.return_full_text == Some(true) {
            self.inputs.as_str()
        } else {
            ""
        };
        [prompt, generated].concat()
    }

    fn details(&self, whole: &Whole) -> Map<String, Value> {
        let prefill = if self.parameters.decoder_input_details {
            whole::prefill_objects(&self.inputs)
        } else {
            Vec::new()
        };
        let mut details = Map::new();
        details.insert("finish_reason".to_owned(), json!(whole.finish));
        details.insert("generated_tokens".to_owned(), json!(whole.generated_tokens));
        details.insert("seed".to_owned(), json!(whole.seed));
        details.insert("prefill".to_owned(), json!(prefill));
        details.insert("tokens".to_owned(), json!(whole.tokens));
        if !whole.top_tokens.is_empty() {
            details.insert("top_tokens".to_owned(), json!(whole.top_tokens));
        }
        details
    }
}
