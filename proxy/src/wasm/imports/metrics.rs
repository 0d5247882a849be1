//! `metrics`: what filters count and time, in the gateway's registry.

use std::time::Duration;

use wasmtime::Result;
use wasmtime::component::Resource;

use super::super::bindings::metrics::{Host, HostCounter, HostGauge, HostTimer};
use super::super::failure::BadCall;
use super::super::state::State;
use super::{Counter, Gauge, Timer, fault};

impl Host for State {}

impl HostCounter for State {
    fn new(&mut self, name: String, labels: Vec<String>) -> Result<Resource<Counter>> {
        let counter = self.scope.registry.counter(&name, &labels).map_err(fault)?;
        self.keep(Counter(counter))
    }

    fn add(&mut self, this: Resource<Counter>, by: u64, values: Vec<String>) -> Result<()> {
        let Counter(counter) = self.metrics.get(&this)?;
        Ok(counter.add(by, &texts(&values)).map_err(fault)?)
    }

    fn drop(&mut self, this: Resource<Counter>) -> Result<()> {
        self.metrics.delete(this)?;
        Ok(())
    }
}

impl HostGauge for State {
    fn new(&mut self, name: String, labels: Vec<String>) -> Result<Resource<Gauge>> {
        let gauge = self.scope.registry.gauge(&name, &labels).map_err(fault)?;
        self.keep(Gauge(gauge))
    }

    fn set(&mut self, this: Resource<Gauge>, value: i64, values: Vec<String>) -> Result<()> {
        let Gauge(gauge) = self.metrics.get(&this)?;
        Ok(gauge.set(value, &texts(&values)).map_err(fault)?)
    }

    fn drop(&mut self, this: Resource<Gauge>) -> Result<()> {
        self.metrics.delete(this)?;
        Ok(())
    }
}

impl HostTimer for State {
    fn new(&mut self, name: String, labels: Vec<String>) -> Result<Resource<Timer>> {
        let timer = self.scope.registry.timer(&name, &labels).map_err(fault)?;
        self.keep(Timer(timer))
    }

    fn record_us(&mut self, this: Resource<Timer>, micros: u64, values: Vec<String>) -> Result<()> {
        let Timer(timer) = self.metrics.get(&this)?;
        let elapsed = Duration::from_micros(micros);
        Ok(timer.record(elapsed, &texts(&values)).map_err(fault)?)
    }

    fn drop(&mut self, this: Resource<Timer>) -> Result<()> {
        self.metrics.delete(this)?;
        Ok(())
    }
}

impl State {
    /// Keeps a metric for as long as the guest keeps its handle.
    fn keep<M: Send + 'static>(&mut self, metric: M) -> Result<Resource<M>> {
        let full = |_| {
            BadCall("holds too many metrics; make them in `configure` and keep them".to_owned())
        };
        Ok(self.metrics.push(metric).map_err(full)?)
    }
}

fn texts(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}
