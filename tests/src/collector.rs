//! An OpenTelemetry collector, as far as taking spans goes: OTLP over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use parking_lot::Mutex;
use prost::Message as _;

use crate::{Scripted, until};

/// A collector that keeps what it is sent.
pub struct Collector {
    server: Scripted,
    taken: Arc<Mutex<Vec<TakenSpan>>>,
}

/// A span as it came in.
#[derive(Debug, Clone)]
pub struct TakenSpan {
    /// Its name.
    pub name: String,
    /// Hexadecimal ids; `parent` is empty where there is none.
    pub trace: String,
    /// Its own.
    pub id: String,
    /// Of the span above it.
    pub parent: String,
    /// Nanoseconds from its begin to its end.
    pub took: u64,
    /// Attributes as text, those of what sent it too.
    pub attributes: BTreeMap<String, String>,
    /// The head of the request that brought it.
    pub head: String,
}

impl Collector {
    /// Starts one.
    pub async fn start() -> Self {
        let taken = Arc::<Mutex<Vec<TakenSpan>>>::default();
        let keeps = taken.clone();
        let server = Scripted::start(move |_, mut wire| {
            let keeps = keeps.clone();
            async move {
                while let Some(message) = wire.message().await {
                    let export = ExportTraceServiceRequest::decode(&*message.body);
                    let export = export.expect("OTLP is protobuf");
                    keeps.lock().extend(spans(export, &message.head));
                    wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                        .await;
                }
            }
        });
        Self {
            server: server.await,
            taken,
        }
    }

    /// Its base URL, for `traces.otlp`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// All spans, once there are so many.
    pub async fn spans(&self, count: usize) -> Vec<TakenSpan> {
        until("the collector has the spans", async || {
            let taken = self.taken.lock();
            (taken.len() >= count).then(|| taken.clone())
        })
        .await
    }
}

fn spans(export: ExportTraceServiceRequest, head: &str) -> Vec<TakenSpan> {
    let mut all = Vec::new();
    for sent in export.resource_spans {
        let resource = sent.resource.unwrap_or_default().attributes;
        let spans = sent.scope_spans.into_iter().flat_map(|scope| scope.spans);
        all.extend(spans.map(|span| taken(span, &resource, head)));
    }
    all
}

fn taken(span: Span, resource: &[KeyValue], head: &str) -> TakenSpan {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = |pair: &KeyValue| (pair.key.clone(), text(pair.value.as_ref()));
    TakenSpan {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        took: span.end_time_unix_nano - span.start_time_unix_nano,
        attributes: resource.iter().chain(&span.attributes).map(text).collect(),
        name: span.name,
        head: head.to_owned(),
    }
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BoolValue(yes)) => yes.to_string(),
        other => format!("{other:?}"),
    }
}
