//! Passes an answer on to the client: a stream event by event, from its first
//! token on; a whole answer in one piece, or as it comes.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderValue;
use http::header::HeaderName;
use pingora_http::ResponseHeader;

use super::answer::{Answer, HELD};
use super::message::passed_on;
use crate::api::Api;
use crate::api::events::Events;
use crate::api::translate::{Facts, Told, Translation};
use crate::api::usage::Usage;
use crate::downstream::{Downstream, is_event_stream};
use crate::error::{Error, Refused};
use crate::exchange::Exchange;
use crate::outcome::End;

/// By which TGI tells the cost of a whole answer.
const PROMPT_TOKENS: HeaderName = HeaderName::from_static("x-prompt-tokens");
const GENERATED_TOKENS: HeaderName = HeaderName::from_static("x-generated-tokens");

/// An answer on its way.
pub(super) struct Relay<'a, 'c> {
    client: &'a mut Downstream<'c>,
    exchange: &'a mut Exchange,
    answer: Answer,
    translation: Translation,
}

impl<'a, 'c> Relay<'a, 'c> {
    pub(super) fn new(
        client: &'a mut Downstream<'c>,
        exchange: &'a mut Exchange,
        answer: Answer,
        translation: Translation,
    ) -> Self {
        Self {
            client,
            exchange,
            answer,
            translation,
        }
    }

    pub(super) fn into_answer(self) -> Answer {
        self.answer
    }

    pub(super) async fn run(&mut self) -> Result<(), Error> {
        if is_event_stream(&self.answer.head().headers) {
            self.stream().await
        } else if self.translation.is_identity() && self.exchange.call.api != Api::Unified {
            self.pass().await
        } else {
            self.complete().await
        }
    }

    /// Passes events on as they come, and tells how it went.
    async fn stream(&mut self) -> Result<(), Error> {
        let mut events = Events::new(self.translation, self.facts());
        let ended = self.events(&mut events).await;
        let outcome = &mut self.exchange.outcome;
        outcome.output_tokens = events.tokens();
        if let Some(usage) = events.usage() {
            outcome.input_tokens = Some(usage.prompt_tokens);
        }
        if events.error().is_some() {
            outcome.end = End::UpstreamError;
        }
        ended
    }

    async fn events(&mut self, events: &mut Events) -> Result<(), Error> {
        let held = self.hold(events).await?;
        self.client.begin(passed_on(self.answer.head())).await?;
        self.client.write(held).await?;
        while events.error().is_none() {
            let Some(piece) = self.client.unless_gone(self.answer.next()).await? else {
                self.client.write(events.finish()).await?;
                break;
            };
            self.client.write(events.take(piece)).await?;
        }
        self.client.end().await
    }

    /// Holds the head of a stream until an answer has begun, since TGI says 200
    /// before it has looked at the request. Returns what came so far.
    async fn hold(&mut self, events: &mut Events) -> Result<Bytes, Error> {
        let mut held = Bytes::new();
        while !events.has_answer() {
            let next = self.answer.next_in_time();
            let piece = match self.client.unless_gone(next).await? {
                Some(piece) => events.take(piece),
                None => return self.ended_early(events, held),
            };
            held = joined(held, piece);
            if let Some(told) = events.error().filter(|_| !events.has_answer()) {
                return Err(self.refused(told.clone()));
            }
        }
        self.exchange.outcome.first_token = Some(Instant::now());
        Ok(held)
    }

    /// A stream that ends before its first token is none.
    fn ended_early(&self, events: &mut Events, held: Bytes) -> Result<Bytes, Error> {
        let last = events.finish();
        match events.error() {
            Some(told) => Err(self.refused(told.clone())),
            None if events.has_answer() => Ok(joined(held, last)),
            None => Err(self.answer.broke("it ended before its first token")),
        }
    }

    /// A refusal inside a stream, with the status that it should have had.
    fn refused(&self, told: Told) -> Error {
        Error::Refused(Box::new(Refused {
            endpoint: Arc::clone(self.answer.endpoint()),
            told,
            answer: None,
            retry_after: None,
        }))
    }

    /// Tells a whole answer in the caller's words.
    async fn complete(&mut self) -> Result<(), Error> {
        let body = self.client.unless_gone(self.answer.body(HELD)).await?;
        let told = self.translation.answer(body, &self.facts());
        let told = told.map_err(|malformed| self.answer.broke(malformed.to_string()))?;
        self.note(told.usage);
        let mut head = passed_on(self.answer.head());
        if let Some(usage) = told.usage.filter(|_| !self.translation.is_identity()) {
            tell_cost(&mut head, usage);
        }
        self.client.send(head, told.body).await
    }

    /// Passes a whole answer on as it comes.
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

    fn facts(&self) -> Facts {
        let mut facts = self.translation.facts(&self.exchange.call, rand::random());
        facts.prompt_tokens = self.exchange.prompt_tokens();
        facts.told = Usage::from_headers(&self.answer.head().headers);
        facts
    }

    fn note(&mut self, usage: Option<Usage>) {
        let Some(usage) = usage else { return };
        let outcome = &mut self.exchange.outcome;
        outcome.input_tokens = Some(usage.prompt_tokens);
        outcome.output_tokens = usage.completion_tokens;
    }
}

/// Tells the cost as TGI does.
fn tell_cost(head: &mut ResponseHeader, usage: Usage) {
    for (name, tokens) in [
        (PROMPT_TOKENS, usage.prompt_tokens),
        (GENERATED_TOKENS, usage.completion_tokens),
    ] {
        // It fails only when there are tens of thousands of headers.
        head.insert_header(name, HeaderValue::from(tokens)).ok();
    }
}

/// Two pieces as one; nearly always one of them is empty.
fn joined(first: Bytes, second: Bytes) -> Bytes {
    match (first.is_empty(), second.is_empty()) {
        (true, _) => second,
        (_, true) => first,
        _ => [first, second].concat().into(),
    }
}
