//! What a trace has of an exchange: the span of serving it, and below it that of
//! asking an endpoint. Attributes are named by OpenTelemetry's semantic conventions
//! for HTTP and generative AI, ours by `headworks.`; the text is in none.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::exchange::Exchange;
use crate::observe::Trace;
use crate::outcome::End;

/// The spans of an exchange that has ended.
pub(super) fn of(exchange: &Exchange, trace: &Trace) -> Vec<SpanData> {
    let mut spans = vec![served(exchange, trace)];
    spans.extend(asked(exchange, trace));
    spans
}

/// From the request's first byte to the answer's last.
fn served(exchange: &Exchange, trace: &Trace) -> SpanData {
    let (outcome, route) = (&exchange.outcome, exchange.call.api.path());
    let mut attributes = vec![
        KeyValue::new("http.request.method", "POST"),
        KeyValue::new("http.route", route),
    ];
    if outcome.status > 0 {
        let status = i64::from(outcome.status);
        attributes.push(KeyValue::new("http.response.status_code", status));
    }
    attributes.extend(ours(exchange));
    attributes.extend(error_type(outcome.end));
    SpanData {
        span_context: trace.span(),
        parent_span_id: trace.caller().unwrap_or(SpanId::INVALID),
        parent_span_is_remote: trace.caller().is_some(),
        span_kind: SpanKind::Server,
        status: status(outcome.end, outcome.status >= 500),
        ..span(format!("POST {route}"), outcome.latency, attributes)
    }
}

/// From asking an endpoint, the last where several were, to the end.
fn asked(exchange: &Exchange, trace: &Trace) -> Option<SpanData> {
    let outcome = &exchange.outcome;
    let before = outcome.own_time? + outcome.queued;
    let read = outcome.received.duration_since(outcome.started);
    let took = outcome.latency.saturating_sub(read + before);
    let pool = exchange.pool.as_ref()?;
    let model = exchange.model_label();
    let operation = exchange.call.api.operation();
    let count = |tokens: u32| i64::from(tokens);
    let mut attributes = vec![
        KeyValue::new("gen_ai.operation.name", operation),
        KeyValue::new("gen_ai.provider.name", pool.config.protocol.as_str()),
        KeyValue::new("gen_ai.request.model", model.to_owned()),
        KeyValue::new("gen_ai.request.stream", exchange.call.streaming()),
        KeyValue::new("gen_ai.usage.input_tokens", count(exchange.input_tokens())),
        KeyValue::new("gen_ai.usage.output_tokens", count(outcome.output_tokens)),
    ];
    if let Some(most) = exchange.call.max_new_tokens() {
        attributes.push(KeyValue::new("gen_ai.request.max_tokens", count(most)));
    }
    if let Some(first) = outcome.ttft() {
        let first = first.saturating_sub(before).as_secs_f64();
        attributes.push(KeyValue::new("gen_ai.response.time_to_first_chunk", first));
    }
    if let Some(endpoint) = &outcome.endpoint {
        attributes.push(KeyValue::new("url.full", Value::from(endpoint.clone())));
    }
    attributes.extend(error_type(outcome.end));
    Some(SpanData {
        span_context: trace.upstream(),
        parent_span_id: trace.span().span_id(),
        span_kind: SpanKind::Client,
        status: status(outcome.end, outcome.end == End::UpstreamError),
        ..span(format!("{operation} {model}"), took, attributes)
    })
}

/// What the gateway decided.
fn ours(exchange: &Exchange) -> Vec<KeyValue> {
    let outcome = &exchange.outcome;
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let mut attributes = vec![
        KeyValue::new("headworks.tenant", exchange.tenant().to_owned()),
        KeyValue::new("headworks.end", outcome.end.as_str()),
        KeyValue::new("headworks.retries", i64::from(exchange.attempt)),
        KeyValue::new("headworks.queued_ms", millis(outcome.queued)),
    ];
    let texts = [
        (
            "headworks.pool",
            exchange.pool.as_ref().map(|pool| pool.name.to_string()),
        ),
        ("headworks.why", exchange.why.clone()),
    ];
    for (name, text) in texts {
        attributes.extend(text.map(|text| KeyValue::new(name, text)));
    }
    let times = [
        ("headworks.own_ms", outcome.own_time),
        ("headworks.predicted_ms", exchange.predicted),
        ("headworks.objective_ms", exchange.objective),
    ];
    for (name, time) in times {
        attributes.extend(time.map(|time| KeyValue::new(name, millis(time))));
    }
    attributes
}

/// A span that ends now.
fn span(name: impl Into<Cow<'static, str>>, took: Duration, attributes: Vec<KeyValue>) -> SpanData {
    let end = SystemTime::now();
    SpanData {
        span_context: opentelemetry::trace::SpanContext::NONE,
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: name.into(),
        start_time: end - took,
        end_time: end,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("headworks").build(),
    }
}

fn error_type(end: End) -> Option<KeyValue> {
    (end != End::Ok).then(|| KeyValue::new("error.type", end.as_str()))
}

/// What a client did wrong is no error of a server's span.
fn status(end: End, is_fault: bool) -> Status {
    match is_fault {
        true => Status::error(end.as_str()),
        false => Status::Unset,
    }
}
