//! Sends an exchange to an endpoint and its answer to the client: a stream
//! event by event, a whole answer in one piece.

use std::time::Instant;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use pingora_http::ResponseHeader;

use super::answer::Answer;
use super::connect::Connector;
use super::message::{Message, hop_by_hop};
use super::terms::Terms;
use super::{Endpoint, Pool, Slot};
use crate::api::usage::{Meter, Usage};
use crate::api::{self, Api, route::Dialect};
use crate::config::Protocol;
use crate::downstream::Downstream;
use crate::error::Error;
use crate::exchange::{End, Exchange};

/// Largest whole answer that is held, to be completed or measured.
const HELD: usize = 16 << 20;

/// What a pool of TGI servers is asked for when nothing else is said: TGI
/// takes any other model name for that of a LoRA adapter.
const TGI_MODEL: &str = "tgi";

/// Sends an exchange to the endpoint of its slot, and the answer to the client.
pub async fn forward(
    connector: &Connector,
    client: &mut Downstream<'_>,
    exchange: &mut Exchange,
    pool: &Pool,
    slot: &Slot,
) -> Result<(), Error> {
    let endpoint = slot.endpoint();
    let terms = Terms::new(endpoint, pool, exchange.outcome.received);
    exchange.outcome.endpoint = Some(endpoint.url.clone());
    let message = message(exchange, pool, endpoint);
    let asked = client
        .unless_gone(connector.ask(endpoint, &message, &terms))
        .await;
    if let Err(Error::Connect { .. }) = &asked {
        endpoint.unreachable(Instant::now());
    }
    let answer = asked?;
    endpoint.answered();
    let mut relay = Relay {
        client,
        exchange,
        answer,
    };
    relay.run().await?;
    let Relay { answer, .. } = relay;
    endpoint.release(answer).await;
    learn(endpoint, exchange);
    Ok(())
}

/// Passes a `GET` to an endpoint and its answer to the client.
pub async fn pass_get(
    connector: &Connector,
    client: &mut Downstream<'_>,
    path: &str,
    pool: &Pool,
    slot: &Slot,
) -> Result<(), Error> {
    let endpoint = slot.endpoint();
    let terms = Terms::new(endpoint, pool, Instant::now());
    let message = Message::get(endpoint, path, &client.head().headers);
    let mut answer = client
        .unless_gone(connector.ask(endpoint, &message, &terms))
        .await?;
    let body = client.unless_gone(answer.body(HELD)).await?;
    let head = passed_on(answer.head());
    endpoint.release(answer).await;
    client.send(head, body).await
}

fn message(exchange: &mut Exchange, pool: &Pool, endpoint: &Endpoint) -> Message {
    let api = exchange.call.api;
    if api.dialect() == Dialect::OpenAi {
        let model = match (&pool.config.model, pool.config.protocol) {
            (Some(model), _) => model,
            (None, Protocol::Tgi) => TGI_MODEL,
            (None, Protocol::OpenAi) => exchange.call.model(),
        };
        let model = api::body::quote(model);
        exchange.call.body.set("model", model);
    }
    let path = api.upstream_path(exchange.call.streaming());
    let body = exchange.call.body.to_bytes();
    Message::post(endpoint, path, &exchange.head.headers, body)
}

/// An answer on its way.
struct Relay<'a, 'c> {
    client: &'a mut Downstream<'c>,
    exchange: &'a mut Exchange,
    answer: Answer,
}

impl Relay<'_, '_> {
    async fn run(&mut self) -> Result<(), Error> {
        let head = self.answer.head();
        let status = head.status;
        let streams = is_event_stream(&head.headers);
        self.exchange.outcome.status = status.as_u16();
        self.exchange.outcome.end = end(status);
        if streams {
            self.stream().await
        } else if status.is_success() && self.exchange.call.api == Api::Unified {
            self.complete().await
        } else {
            self.pass().await
        }
    }

    /// Passes events on as they come and counts their tokens.
    async fn stream(&mut self) -> Result<(), Error> {
        let mut meter = Meter::new(self.exchange.call.api.dialect());
        self.client.begin(passed_on(self.answer.head())).await?;
        let ended = self.events(&mut meter).await;
        let outcome = &mut self.exchange.outcome;
        outcome.output_tokens = meter.tokens();
        outcome.input_tokens = meter.prompt_tokens();
        if meter.failed() {
            outcome.end = End::UpstreamError;
        }
        ended
    }

    async fn events(&mut self, meter: &mut Meter) -> Result<(), Error> {
        while let Some(piece) = self.client.unless_gone(self.answer.next()).await? {
            meter.feed(&piece);
            if self.exchange.outcome.first_token.is_none() && meter.tokens() > 0 {
                self.exchange.outcome.first_token = Some(Instant::now());
            }
            self.client.write(piece).await?;
        }
        self.client.end().await
    }

    /// Adds to a whole answer what the unified API promises.
    async fn complete(&mut self) -> Result<(), Error> {
        let body = self.client.unless_gone(self.answer.body(HELD)).await?;
        let told = Usage::from_headers(&self.answer.head().headers);
        self.note(told);
        let usage = told.unwrap_or(Usage {
            prompt_tokens: self.exchange.input_tokens(),
            completion_tokens: 0,
        });
        let body = api::answer::unified(&body, self.exchange.call.model(), usage);
        self.client.send(passed_on(self.answer.head()), body).await
    }

    /// Passes a whole answer on as it is.
    async fn pass(&mut self) -> Result<(), Error> {
        let told = Usage::from_headers(&self.answer.head().headers);
        let first = self.client.unless_gone(self.answer.next()).await?;
        self.client.begin(passed_on(self.answer.head())).await?;
        // Kept only where the count has to be found in it.
        let mut kept = Vec::new();
        let mut next = first;
        while let Some(piece) = next {
            if told.is_none() && kept.len() + piece.len() <= HELD {
                kept.extend_from_slice(&piece);
            }
            self.client.write(piece).await?;
            next = self.client.unless_gone(self.answer.next()).await?;
        }
        self.client.end().await?;
        self.note(told.or_else(|| Usage::from_body(&kept)));
        Ok(())
    }

    fn note(&mut self, usage: Option<Usage>) {
        let Some(usage) = usage else { return };
        let outcome = &mut self.exchange.outcome;
        outcome.input_tokens = Some(usage.prompt_tokens);
        outcome.output_tokens = usage.completion_tokens;
    }
}

/// An answer's head without what was about the connection to the endpoint.
/// How its names were spelled is not kept: it means nothing, and costs a second
/// table of headers.
fn passed_on(head: &ResponseHeader) -> ResponseHeader {
    let (mut parts, ()) = http::Response::new(()).into_parts();
    parts.status = head.status;
    parts.headers = head.headers.clone();
    for name in hop_by_hop(&head.headers) {
        parts.headers.remove(name);
    }
    parts.into()
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind: &HeaderValue| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// How an exchange counts that was answered with this status.
fn end(status: StatusCode) -> End {
    match status.as_u16() {
        ..=399 => End::Ok,
        // A batch that failed, and a server that has no room.
        424 | 429 | 500.. => End::UpstreamError,
        400.. => End::BadRequest,
    }
}

/// Lets the endpoint's averages learn from an answer that went well. A whole
/// answer shows no first token; its mean time per token stands for it.
fn learn(endpoint: &Endpoint, exchange: &Exchange) {
    let outcome = &exchange.outcome;
    if outcome.end != End::Ok {
        return;
    }
    if outcome.output_tokens == 0 {
        return endpoint.succeeded();
    }
    let took = outcome.received.elapsed().saturating_sub(outcome.queued);
    match outcome.ttft() {
        Some(ttft) => {
            let ttft = ttft.saturating_sub(outcome.queued);
            let after_first = outcome.output_tokens.saturating_sub(1).max(1);
            endpoint.observe(ttft, took.saturating_sub(ttft) / after_first);
        }
        None => {
            let per_token = took / outcome.output_tokens;
            endpoint.observe(per_token, per_token);
        }
    }
}
