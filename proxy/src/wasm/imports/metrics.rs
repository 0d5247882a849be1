//! `metrics`: what filters count and time, in the gateway's registry.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::Result;
use wasmtime::component::Resource;

use super::super::bindings::metrics::{Host, HostCounter, HostGauge, HostTimer};
use super::super::failure::BadCall;
use super::super::state::State;
use super::{Counter, Gauge, Metric, Timer, fault};
use crate::observe::{Cell, LabelCount};

impl Host for State {}

impl HostCounter for State {
    fn new(&mut self, name: String, labels: Vec<String>) -> Result<Resource<Counter>> {
        let counter = self.scope.registry.counter(&name, &labels).map_err(fault)?;
        self.keep(Metric::Any(counter))
    }

    fn add(&mut self, this: Resource<Counter>, by: u64, values: Vec<String>) -> Result<()> {
        match self.metrics.get(&this)? {
            Metric::Any(counter) => counter.add(by, &texts(&values)).map_err(fault)?,
            Metric::One(_, count) if values.is_empty() => count.add(by),
            Metric::One(..) => return Err(has_values().into()),
        }
        Ok(())
    }

    fn bind(&mut self, this: Resource<Counter>, values: Vec<String>) -> Result<Resource<Counter>> {
        let bound = bind(self.metrics.get(&this)?, &values).map_err(fault)?;
        self.keep(bound)
    }

    fn drop(&mut self, this: Resource<Counter>) -> Result<()> {
        self.metrics.delete(this)?;
        Ok(())
    }
}

impl HostGauge for State {
    fn new(&mut self, name: String, labels: Vec<String>) -> Result<Resource<Gauge>> {
        let gauge = self.scope.registry.gauge(&name, &labels).map_err(fault)?;
        self.keep(Metric::Any(gauge))
    }

    fn set(&mut self, this: Resource<Gauge>, value: i64, values: Vec<String>) -> Result<()> {
        match self.metrics.get(&this)? {
            Metric::Any(gauge) => gauge.set(value, &texts(&values)).map_err(fault)?,
            Metric::One(_, level) if values.is_empty() => level.set(value),
            Metric::One(..) => return Err(has_values().into()),
        }
        Ok(())
    }

    fn bind(&mut self, this: Resource<Gauge>, values: Vec<String>) -> Result<Resource<Gauge>> {
        let bound = bind(self.metrics.get(&this)?, &values).map_err(fault)?;
        self.keep(bound)
    }

    fn drop(&mut self, this: Resource<Gauge>) -> Result<()> {
        self.metrics.delete(this)?;
        Ok(())
    }
}

impl HostTimer for State {
    fn new(&mut self, name: String, labels: Vec<String>) -> Result<Resource<Timer>> {
        let timer = self.scope.registry.timer(&name, &labels).map_err(fault)?;
        self.keep(Metric::Any(timer))
    }

    fn record_us(&mut self, this: Resource<Timer>, micros: u64, values: Vec<String>) -> Result<()> {
        let elapsed = Duration::from_micros(micros);
        match self.metrics.get(&this)? {
            Metric::Any(timer) => timer.record(elapsed, &texts(&values)).map_err(fault)?,
            Metric::One(timer, timings) if values.is_empty() => timer.record_in(timings, elapsed),
            Metric::One(..) => return Err(has_values().into()),
        }
        Ok(())
    }

    fn bind(&mut self, this: Resource<Timer>, values: Vec<String>) -> Result<Resource<Timer>> {
        let bound = bind(self.metrics.get(&this)?, &values).map_err(fault)?;
        self.keep(bound)
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

/// The metric of one label set. What is bound already has no labels left.
fn bind<C: Cell>(metric: &Metric<C>, values: &[String]) -> Result<Metric<C>, LabelCount> {
    let (Metric::Any(family) | Metric::One(family, _)) = metric;
    let cell = family.of(&texts(values))?;
    Ok(Metric::One(Arc::clone(family), cell))
}

fn has_values() -> BadCall {
    BadCall("gives label values to a metric that is bound to its own".to_owned())
}

fn texts(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}
