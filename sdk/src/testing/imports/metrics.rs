//! Metrics, kept in the registry of the test.

use crate::testing::registry::{at, declare};
use crate::testing::world::World;

/// A metric is its name, and the values of the label set that it is bound to.
#[derive(Debug)]
struct Metric {
    name: String,
    bound: Option<Vec<String>>,
}

#[derive(Debug)]
pub(crate) struct Counter(Metric);
#[derive(Debug)]
pub(crate) struct Gauge(Metric);
#[derive(Debug)]
pub(crate) struct Timer(Metric);

impl Metric {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            bound: None,
        }
    }

    fn bind(&self, values: &[&str]) -> Self {
        Self {
            name: self.name.clone(),
            bound: Some(values.iter().map(ToString::to_string).collect()),
        }
    }

    /// Calls with the values that count: those bound, else those given.
    fn with<R>(&self, values: &[&str], act: impl FnOnce(&str, &[&str]) -> R) -> R {
        let Some(bound) = &self.bound else {
            return act(&self.name, values);
        };
        assert!(values.is_empty(), "a metric that is bound takes no values");
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        act(&self.name, &bound)
    }
}

impl Counter {
    pub(crate) fn new(name: &str, labels: &[&str]) -> Self {
        declare(
            &mut World::current().metrics.borrow_mut().counters,
            name,
            labels,
        );
        Self(Metric::new(name))
    }

    pub(crate) fn bind(&self, values: &[&str]) -> Self {
        Self(self.0.bind(values))
    }

    pub(crate) fn add(&self, by: u64, values: &[&str]) {
        self.0.with(values, |name, values| {
            *at(
                &mut World::current().metrics.borrow_mut().counters,
                name,
                values,
            ) += by;
        });
    }
}

impl Gauge {
    pub(crate) fn new(name: &str, labels: &[&str]) -> Self {
        declare(
            &mut World::current().metrics.borrow_mut().gauges,
            name,
            labels,
        );
        Self(Metric::new(name))
    }

    pub(crate) fn bind(&self, values: &[&str]) -> Self {
        Self(self.0.bind(values))
    }

    pub(crate) fn set(&self, value: i64, values: &[&str]) {
        self.0.with(values, |name, values| {
            *at(
                &mut World::current().metrics.borrow_mut().gauges,
                name,
                values,
            ) = value;
        });
    }
}

impl Timer {
    pub(crate) fn new(name: &str, labels: &[&str]) -> Self {
        declare(
            &mut World::current().metrics.borrow_mut().timers,
            name,
            labels,
        );
        Self(Metric::new(name))
    }

    pub(crate) fn bind(&self, values: &[&str]) -> Self {
        Self(self.0.bind(values))
    }

    pub(crate) fn record_us(&self, micros: u64, values: &[&str]) {
        self.0.with(values, |name, values| {
            at(
                &mut World::current().metrics.borrow_mut().timers,
                name,
                values,
            )
            .push(micros);
        });
    }
}
