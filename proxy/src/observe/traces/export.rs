//! Sends spans in batches, and counts those that are lost on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{self, BatchConfig, BatchConfigBuilder, SpanData};

use crate::observe::count::Count;

/// Spans that may wait for the collector.
const MOST_WAITING: usize = 16 * 1024;
const BATCH: usize = 512;
const EVERY: Duration = Duration::from_secs(1);

pub(super) fn batches() -> BatchConfig {
    BatchConfigBuilder::default()
        .with_max_queue_size(MOST_WAITING)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(EVERY)
        .build()
}

/// Spans on their way. The SDK drops those that are too many and tells nobody, so
/// they are counted before it has them.
#[derive(Debug)]
pub(super) struct Waiting {
    count: AtomicUsize,
    lost: Arc<Count>,
}

impl Waiting {
    pub(super) fn new(lost: Arc<Count>) -> Self {
        Self {
            count: AtomicUsize::new(0),
            lost,
        }
    }

    /// Whether there is room for one more, which is lost otherwise.
    pub(super) fn takes_one(&self) -> bool {
        let has_room = self.count.fetch_add(1, Ordering::Relaxed) < MOST_WAITING;
        if !has_room {
            self.count.fetch_sub(1, Ordering::Relaxed);
            self.lost.add(1);
        }
        has_room
    }

    fn sent(&self, spans: usize, result: &OTelSdkResult) {
        self.count.fetch_sub(spans, Ordering::Relaxed);
        if result.is_err() {
            self.lost.add(spans as u64);
        }
    }
}

/// An exporter that counts.
#[derive(Debug)]
pub(super) struct Counted {
    exporter: SpanExporter,
    waiting: Arc<Waiting>,
    collector: String,
    /// The last batch did not get there; said once.
    fails: AtomicBool,
}

impl Counted {
    pub(super) fn new(exporter: SpanExporter, waiting: Arc<Waiting>, collector: String) -> Self {
        Self {
            exporter,
            waiting,
            collector,
            fails: AtomicBool::new(false),
        }
    }

    fn tell(&self, result: &OTelSdkResult) {
        let failed_before = self.fails.swap(result.is_err(), Ordering::Relaxed);
        let collector = &self.collector;
        match result {
            Err(error) if !failed_before => {
                tracing::warn!(%collector, %error, "traces are lost: the collector does not take them");
            }
            Ok(()) if failed_before => {
                tracing::info!(%collector, "the collector takes traces again");
            }
            _ => {}
        }
    }
}

impl trace::SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.exporter.export(batch).await;
        self.waiting.sent(spans, &result);
        self.tell(&result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
