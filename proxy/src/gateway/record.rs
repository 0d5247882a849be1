//! What is written down of an exchange: all that is known of it but its text.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use http::HeaderMap;
use serde::Serialize;

use crate::exchange::Exchange;

/// One line of the access log. Times are milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    /// When it ended: RFC 3339, UTC.
    time: String,
    /// Of the client's trace, if it has one (W3C Trace Context).
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
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
            trace_id: trace_id(&exchange.head.headers),
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

/// The trace that a client is in: `00-<trace id>-<parent id>-<flags>`. What has
/// another form is none (W3C Trace Context, 3.2).
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_valid = is_hex(version, 2)
        && is_hex(trace, 32)
        && is_hex(parent, 16)
        && version != "ff"
        && trace.bytes().any(|b| b != b'0');
    is_valid.then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(traceparent: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", traceparent.parse().unwrap());
        assert_eq!(trace_id(&headers), expected, "{traceparent}");
    }

    #[test]
    fn a_trace_is_known_by_its_id_and_nonsense_is_none() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        check(&format!("00-{id}-00f067aa0ba902b7-01"), Some(id));
        check(
            &format!("cc-{id}-00f067aa0ba902b7-01-what-comes-later"),
            Some(id),
        );
        check(&format!("ff-{id}-00f067aa0ba902b7-01"), None);
        check(&format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), None);
        check(
            &format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            None,
        );
        check("\"}, {\"forged\": \"", None);
        check("", None);
    }
}
