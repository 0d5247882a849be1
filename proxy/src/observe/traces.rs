//! Traces of exchanges: spans, sent to an OpenTelemetry collector by OTLP over
//! HTTP, from a thread of its own. Who is too fast for the collector loses spans,
//! which are counted, and never waits.

mod context;
mod export;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::HeaderMap;
use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanProcessor as _};

use super::count::Count;
use crate::config;
use context::Caller;
pub use context::{TRACEPARENT, Trace};
use export::{Counted, Waiting};

/// How long a collector may take for a batch of spans.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where spans are sent, if they are.
#[derive(Debug, Default)]
pub struct Traces {
    tracer: ArcSwapOption<Tracer>,
    /// Spans that did not reach a collector.
    pub(super) lost: Arc<Count>,
}

/// The way to one collector.
#[derive(Debug)]
pub struct Tracer {
    processor: Arc<BatchSpanProcessor>,
    waiting: Arc<Waiting>,
    sample_rate: f64,
}

impl Traces {
    /// Makes the way to a collector; nothing is sent yet.
    ///
    /// # Errors
    /// When its address or headers are of no use.
    pub fn open(&self, config: &config::Traces) -> Result<Tracer, ExporterBuildError> {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_endpoint(&config.otlp)
            .with_headers(config.headers.clone().into_iter().collect())
            .with_timeout(PATIENCE)
            .build()?;
        let waiting = Arc::new(Waiting::new(self.lost.clone()));
        let exporter = Counted::new(exporter, waiting.clone(), config.otlp.clone());
        let mut processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(export::batches())
            .build();
        let resource = Resource::builder_empty().with_attributes([
            KeyValue::new("service.name", config.service_name.clone()),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ]);
        processor.set_resource(&resource.build());
        Ok(Tracer {
            processor: Arc::new(processor),
            waiting,
            sample_rate: config.sample_rate,
        })
    }

    /// Sends there from now on, or nowhere. What waits for the collector before it
    /// is still sent, by a thread that ends with that.
    pub fn send_to(&self, tracer: Option<Tracer>) {
        if let Some(last) = self.tracer.swap(tracer.map(Arc::new)) {
            std::thread::spawn(move || last.end());
        }
    }

    /// Sends what waits, and nothing after that.
    pub fn shutdown(&self) {
        if let Some(last) = self.tracer.swap(None) {
            last.end();
        }
    }

    /// Whether there is a collector, and it is to hear of this request: its caller
    /// says so, else chance.
    pub fn begin(&self, headers: &HeaderMap) -> Option<Trace> {
        let tracer = self.tracer.load();
        let tracer = tracer.as_ref()?;
        let caller = Caller::of(headers);
        let is_wanted = match &caller {
            Some(caller) => caller.is_sampled,
            None => rand::random::<f64>() < tracer.sample_rate,
        };
        is_wanted.then(|| Trace::below(caller))
    }

    /// Sends spans that have ended.
    pub fn send(&self, spans: impl IntoIterator<Item = SpanData>) {
        let tracer = self.tracer.load();
        let Some(tracer) = tracer.as_ref() else {
            return;
        };
        for span in spans {
            if tracer.waiting.takes_one() {
                tracer.processor.on_end(span);
            }
        }
    }
}

impl Tracer {
    fn end(&self) {
        // A collector that is not there costs what waits for it, and is told of.
        let _ = self.processor.shutdown_with_timeout(PATIENCE);
    }
}
