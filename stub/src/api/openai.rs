//! The routes of vLLM's OpenAI server, over the same prompts, scripts and faults
//! as TGI's. Requests are judged before a stream begins, so that a refusal has
//! its status; there is no limit of slots, what does not fit the card waits.

mod about;
mod choice;
pub(super) mod chunks;
mod envelope;
pub(super) mod error;
pub(super) mod finish;
mod request;
pub(super) mod room;
mod route;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};
use futures::future::try_join_all;
use serde::Serialize;
use serde_json::Value;

use super::app::App;
use super::error::ApiError;
use super::events::{self, Form};
use super::fields::usage;
use super::generation::Generation;
use super::incoming::{Context, Incoming};
use super::key::ask_for_key;
use super::whole::{self, Listed, Whole};
use choice::Choice;
use chunks::Chunks;
use envelope::Envelope;
use error::OpenAiError;
use request::{Asked, ChatRequest, CompletionRequest};

/// The release whose protocol is spoken.
const VLLM_VERSION: &str = "0.11.0";

/// All routes but the stub's own.
pub(super) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let guarded = Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completions))
        .route("/v1/models", get(about::models))
        .route_layer(middleware::from_fn_with_state(app.clone(), ask_for_key));
    let open = Router::new()
        .route("/health", get(about::health))
        .route("/version", get(about::version))
        .route("/metrics", get(about::metrics))
        .route("/tokenize", post(about::tokenize));
    guarded
        .merge(open)
        .fallback(about::not_found)
        .method_not_allowed_fallback(about::wrong_method)
}

async fn chat(
    State(app): State<Arc<App>>,
    Incoming { body, context }: Incoming<ChatRequest>,
) -> Result<Response, OpenAiError> {
    answer(app, body.into(), context).await
}

async fn completions(
    State(app): State<Arc<App>>,
    Incoming { body, context }: Incoming<CompletionRequest>,
) -> Result<Response, OpenAiError> {
    answer(app, body.into(), context).await
}

async fn answer(app: Arc<App>, asked: Asked, context: Context) -> Result<Response, OpenAiError> {
    asked
        .check(&app.options.model_id)
        .inspect_err(|_| app.stats.refused.add_one())?;
    let generations = asked.admit(&app, &context)?;
    let envelope = Envelope::new(asked.route, &app.options.model_id);
    if asked.stream {
        return Ok(stream(app, &asked, generations, envelope, context));
    }
    let listed = Listed {
        tokens: asked.listed.is_some(),
        top: asked.listed.unwrap_or(0),
    };
    let wholes = generations
        .into_iter()
        .map(|generation| generation.whole(&app, &context, listed));
    let wholes = try_join_all(wholes).await?;
    Ok(whole::respond(
        HeaderMap::new(),
        &asked.completion(envelope, &wholes),
        &context,
    ))
}

fn stream(
    app: Arc<App>,
    asked: &Asked,
    generations: Vec<Generation>,
    envelope: Envelope,
    context: Context,
) -> Response {
    let prompt_tokens = generations
        .iter()
        .step_by(asked.candidates)
        .map(|generation| generation.prompt_tokens)
        .sum();
    let chunks = Chunks::new(envelope, asked, prompt_tokens);
    let generations = generations.into_iter().map(Ok).collect();
    let mut response = events::stream(app, generations, Form::OpenAi(chunks), context);
    let kind = "text/event-stream; charset=utf-8".parse();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, kind.expect("a constant header value"));
    response
}

/// A whole answer.
#[derive(Serialize)]
struct Completion<'a> {
    #[serde(flatten)]
    envelope: Envelope,
    choices: Vec<Choice<'a>>,
    usage: Value,
}

impl Asked {
    /// One generation for each candidate of each prompt.
    fn admit(&self, app: &App, context: &Context) -> Result<Vec<Generation>, ApiError> {
        let mut generations = Vec::new();
        for prompt in &self.prompts {
            for candidate in 0..self.candidates as u64 {
                let context = Context {
                    candidate,
                    ..context.clone()
                };
                generations.push(app.admit(prompt, &self.parameters, &context, self.stream)?);
            }
        }
        Ok(generations)
    }

    fn completion<'a>(&self, mut envelope: Envelope, wholes: &'a [Whole]) -> Completion<'a> {
        envelope.object = self.route.object();
        let choices = wholes.iter().enumerate();
        let prompts = wholes.iter().step_by(self.candidates);
        Completion {
            envelope,
            choices: choices
                .map(|(index, whole)| Choice::whole(self, index, whole))
                .collect(),
            usage: usage(
                prompts.map(|whole| whole.prompt_tokens).sum(),
                wholes.iter().map(|whole| whole.generated_tokens).sum(),
            ),
        }
    }
}
