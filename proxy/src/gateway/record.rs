//! What is written down of an exchange: all that is known of it but its text.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::exchange::Exchange;
use crate::observe::Trace;

/// One line of the access log. Times are milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    /// When it ended: RFC 3339, UTC.
    time: String,
    /// Of the trace that it is in, if it is in one (W3C Trace Context).
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    api: &'static str,
    model: &'a str,
    pool: Option<&'a str>,
    endpoint: Option<&'a str>,
    tenant: &'a str,
    key: Option<&'a str>,
    class: Option<&'a str>,
    /// 0 when the client left before there was one.
    status: u16,
    end: &'static str,
    stream: bool,
    input_tokens: u32,
    output_tokens: u32,
    /// Endpoints that were tried before the one that answered.
    retries: u32,
    /// Waiting for a place.
    queued_ms: f64,
    /// What the gateway itself took before an endpoint was asked.
    own_ms: Option<f64>,
    ttft_ms: Option<f64>,
    latency_ms: f64,
    /// Why it was placed, or refused, as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicted_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objective_ms: Option<f64>,
    /// The configuration that it ran by.
    generation: u64,
    /// What filters noted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<&'a str, &'a str>,
}

impl<'a> Record<'a> {
    /// Of an exchange that has ended.
    pub(super) fn of(exchange: &'a Exchange) -> Self {
        let outcome = &exchange.outcome;
        let client = exchange.client.as_deref();
        let tags = exchange.tags.iter();
        Self {
            time: DateTime::<Utc>::from(SystemTime::now())
                .to_rfc3339_opts(SecondsFormat::Millis, true),
            trace_id: Trace::id_of(&exchange.head.headers),
            api: exchange.call.api.as_str(),
            model: exchange.model_label(),
            pool: exchange.pool.as_ref().map(|pool| &*pool.name),
            endpoint: outcome.endpoint.as_deref(),
            tenant: exchange.tenant(),
            key: client.map(|client| &*client.key),
            class: client.map(|client| &*client.class),
            status: outcome.status,
            end: outcome.end.as_str(),
            stream: exchange.call.streaming(),
            input_tokens: exchange.input_tokens(),
            output_tokens: outcome.output_tokens,
            retries: exchange.attempt,
            queued_ms: ms(outcome.queued),
            own_ms: outcome.own_time.map(ms),
            ttft_ms: outcome.ttft().map(ms),
            latency_ms: ms(outcome.latency),
            why: exchange.why.as_deref(),
            predicted_ms: exchange.predicted.map(ms),
            objective_ms: exchange.objective.map(ms),
            generation: exchange.generation.id,
            tags: tags.map(|(key, value)| (&**key, &**value)).collect(),
        }
    }
}

/// Milliseconds, to a thousandth.
fn ms(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}
