//! Sends an exchange to an endpoint and judges what it answers, before the
//! client sees any of it.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use pingora_http::ResponseHeader;

use super::answer::{Answer, HELD};
use super::connect::Connector;
use super::message::{Message, passed_on, retry_after};
use super::relay::Relay;
use super::terms::Terms;
use super::{Endpoint, Pool, Slot, Way};
use crate::api::TGI_MODEL;
use crate::api::translate::Translation;
use crate::config::Protocol;
use crate::downstream::Downstream;
use crate::error::{Error, Refused};
use crate::exchange::Exchange;
use crate::outcome::End;

/// Sends an exchange its way, and the answer to the client.
///
/// # Errors
/// When there is no answer, it is an error, or it breaks off. Until the client
/// has seen the first token of a stream, or the beginning of a whole answer, it
/// has seen nothing, and another endpoint may be asked.
pub async fn forward(
    connector: &Connector,
    client: &mut Downstream<'_>,
    exchange: &mut Exchange,
    way: Way<'_>,
) -> Result<(), Error> {
    let Way { pool, slot, .. } = way;
    let endpoint = slot.endpoint();
    let translation = translation(exchange, pool)?;
    let message = message(exchange, pool, endpoint, translation)?;
    let streaming = exchange.call.streaming();
    let terms = Terms::new(endpoint, pool, exchange.outcome.received, streaming);
    exchange.outcome.endpoint = Some(endpoint.url.clone());
    exchange.outcome.asks();
    // Pinned here: it is large, and would be moved twice on its way.
    let asked = pin!(connector.ask(endpoint, &message, &terms));
    let asked = way.unless_stalled(asked);
    let asked = client.unless_gone(asked).await;
    if let Err(Error::Connect { .. }) = &asked {
        endpoint.unreachable(Instant::now());
    }
    let mut answer = asked?;
    endpoint.answered();
    if answer.head().status.is_client_error() || answer.head().status.is_server_error() {
        let refused = client
            .unless_gone(refused(&mut answer, translation, &terms))
            .await?;
        endpoint.release(answer, Instant::now()).await;
        return Err(Error::Refused(Box::new(refused)));
    }
    exchange.outcome.status = answer.head().status.as_u16();
    exchange.outcome.end = End::Ok;
    let mut relay = Relay::new(client, exchange, answer, translation, way);
    relay.run().await?;
    let answer = relay.into_answer();
    let now = Instant::now();
    learn(slot, answer.head(), exchange, now);
    endpoint.release(answer, now).await;
    exchange.learn_prompt();
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
    let terms = Terms::new(endpoint, pool, Instant::now(), false);
    let message = Message::get(endpoint, path, &client.head().headers);
    let mut answer = client
        .unless_gone(connector.ask(endpoint, &message, &terms))
        .await?;
    let body = client.unless_gone(answer.body(HELD)).await?;
    let head = passed_on(answer.head());
    endpoint.release(answer, Instant::now()).await;
    client.send(head, body).await
}

/// Between the caller's dialect and the pool's. What splits text into tokens is
/// TGI's alone.
fn translation(exchange: &Exchange, pool: &Pool) -> Result<Translation, Error> {
    let (api, protocol) = (exchange.call.api, pool.config.protocol);
    if protocol == Protocol::OpenAi && !api.generates() {
        return Err(Error::NotTranslated {
            api: api.as_str(),
            pool: pool.name.clone(),
        });
    }
    Ok(Translation::new(api, protocol))
}

fn message(
    exchange: &Exchange,
    pool: &Pool,
    endpoint: &Endpoint,
    translation: Translation,
) -> Result<Message, Error> {
    let call = &exchange.call;
    let model = match (&pool.config.model, pool.config.protocol) {
        (Some(model), _) => model,
        (None, Protocol::Tgi) => TGI_MODEL,
        // Who names no model means the one there is, which pools are mostly named by.
        (None, Protocol::OpenAi) if call.model().is_empty() => &pool.name,
        (None, Protocol::OpenAi) => call.model(),
    };
    let body = translation.request(call, model, &pool.config.drop_parameters)?;
    let path = translation.path(call.streaming());
    Ok(Message::post(endpoint, path, &exchange.head.headers, body))
}

/// Reads an answer that is an error.
async fn refused(
    answer: &mut Answer,
    translation: Translation,
    terms: &Terms,
) -> Result<Refused, Error> {
    let body = answer.body(HELD).await?;
    let head = answer.head();
    Ok(Refused {
        endpoint: Arc::clone(&terms.endpoint),
        told: translation.error(head.status.as_u16(), &body),
        retry_after: retry_after(&head.headers),
        answer: as_it_came(translation, head, body),
    })
}

/// An error that its caller can read passes as it came.
fn as_it_came(
    translation: Translation,
    head: &ResponseHeader,
    body: Bytes,
) -> Option<(HeaderMap, Bytes)> {
    let headers = || passed_on(head).headers.clone();
    translation.is_identity().then(|| (headers(), body))
}

/// By which TGI tells how long a request waited for its engine, milliseconds.
const QUEUE_TIME: HeaderName = HeaderName::from_static("x-queue-time");

/// Lets the endpoint's predictor learn from a whole answer that went well; a
/// stream has told it token by token.
fn learn(slot: &Slot, answer: &ResponseHeader, exchange: &Exchange, now: Instant) {
    let outcome = &exchange.outcome;
    if outcome.end != End::Ok {
        return;
    }
    slot.endpoint().succeeded();
    if outcome.first_token.is_none() {
        let queued = answer.headers.get(QUEUE_TIME);
        let queued = queued.and_then(|ms| ms.to_str().ok()?.parse().ok());
        let queued = Duration::from_millis(queued.unwrap_or(0));
        slot.answered(outcome.output_tokens, queued, now);
    }
}
