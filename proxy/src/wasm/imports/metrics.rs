//! `metrics`: what filters count and time, in the gateway's registry.

use wasmtime::Result;

use super::super::bindings::metrics::{Host, Sample};
use super::super::failure::BadCall;
use super::super::metrics::Metric;
use super::super::state::State;

impl Host for State {
    fn counter(&mut self, name: String, labels: Vec<String>) -> Result<u32> {
        let counter = self
            .scope
            .registry
            .counter(&name, &labels)
            .map_err(BadCall::of)?;
        self.metrics.keep(Metric::Counter(counter))
    }

    fn gauge(&mut self, name: String, labels: Vec<String>) -> Result<u32> {
        let gauge = self
            .scope
            .registry
            .gauge(&name, &labels)
            .map_err(BadCall::of)?;
        self.metrics.keep(Metric::Gauge(gauge))
    }

    fn timer(&mut self, name: String, labels: Vec<String>) -> Result<u32> {
        let timer = self
            .scope
            .registry
            .timer(&name, &labels)
            .map_err(BadCall::of)?;
        self.metrics.keep(Metric::Timer(timer))
    }

    fn series_of(&mut self, metric: u32, values: Vec<String>) -> Result<u32> {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let series = self.metrics.metric(metric)?.series(&values)?;
        Ok(self.metrics.number(series))
    }

    fn observe(&mut self, samples: Vec<Sample>) -> Result<()> {
        for sample in samples {
            self.metrics.take(sample)?;
        }
        Ok(())
    }
}
