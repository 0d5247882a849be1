//! The registry, as the rest of the gateway sees it.

use std::sync::Arc;

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry as Exposition;

use super::access_log::AccessLog;
use super::error::RegisterError;
use super::metrics::Metrics;
use super::statsd::{Exporter, StatsdError};
use super::traces::Traces;
use super::{Counter, Gauge, Timer};
use crate::config;

/// Every metric, and where the numbers go.
#[derive(Debug)]
pub struct Registry {
    metrics: Arc<Metrics>,
    exposition: Exposition,
    exporter: Exporter,
    access_log: AccessLog,
    traces: Traces,
}

impl Registry {
    /// Only the metrics about metrics, and no StatsD daemon yet.
    pub fn new() -> Self {
        let metrics = Arc::new(Metrics::new());
        let traces = Traces::default();
        metrics.register_own("traces.lost_spans", &traces.lost);
        let mut exposition = Exposition::default();
        exposition.register_collector(Box::new(Arc::clone(&metrics)));
        Self {
            exporter: Exporter::new(Arc::clone(&metrics)),
            metrics,
            exposition,
            access_log: AccessLog::default(),
            traces,
        }
    }

    /// The counter of this name, made if there is none.
    pub fn counter(&self, name: &str, labels: &[String]) -> Result<Arc<Counter>, RegisterError> {
        self.metrics.register(name, labels)
    }

    /// The gauge of this name, made if there is none. Each label needs its
    /// place in the name.
    pub fn gauge(&self, name: &str, labels: &[String]) -> Result<Arc<Gauge>, RegisterError> {
        self.metrics.register(name, labels)
    }

    /// The timer of this name, made if there is none.
    pub fn timer(&self, name: &str, labels: &[String]) -> Result<Arc<Timer>, RegisterError> {
        self.metrics.register(name, labels)
    }

    /// All numbers as OpenMetrics text, to be served as `CONTENT_TYPE`.
    pub fn render(&self) -> String {
        let mut rendered = String::new();
        text::encode(&mut rendered, &self.exposition)
            .expect("a string takes all that is written to it");
        rendered
    }

    /// Sends to this StatsD daemon from now on, or to none. The daemon before
    /// it is told all until now; without one the past stays untold. On an error
    /// everything stays as it was.
    ///
    /// Blocks for a name lookup and a flush: not for the path of a request.
    pub fn set_statsd(&self, config: &config::Metrics) -> Result<(), StatsdError> {
        self.exporter.set_daemon(config)
    }

    /// Where exchanges are written down, if they are.
    pub fn access_log(&self) -> &AccessLog {
        &self.access_log
    }

    /// Where exchanges are traced, if they are.
    pub fn traces(&self) -> &Traces {
        &self.traces
    }

    /// Tells StatsD what it has not been told, and nothing after that; writes down
    /// and sends what waits for that.
    pub fn shutdown(&self) {
        self.exporter.stop();
        self.access_log.write_to(None);
        self.traces.shutdown();
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}
