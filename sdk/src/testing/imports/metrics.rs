//! Metrics, kept in the registry of the test.

use crate::testing::registry::{at, declare};
use crate::testing::world::World;

/// A metric is its name; the values are the world's.
#[derive(Debug)]
pub(crate) struct Counter(String);
#[derive(Debug)]
pub(crate) struct Gauge(String);
#[derive(Debug)]
pub(crate) struct Timer(String);

impl Counter {
    pub(crate) fn new(name: &str, labels: &[&str]) -> Self {
        declare(
            &mut World::current().metrics.borrow_mut().counters,
            name,
            labels,
        );
        Self(name.to_owned())
    }

    pub(crate) fn add(&self, by: u64, values: &[&str]) {
        *at(
            &mut World::current().metrics.borrow_mut().counters,
            &self.0,
            values,
        ) += by;
    }
}

impl Gauge {
    pub(crate) fn new(name: &str, labels: &[&str]) -> Self {
        declare(
            &mut World::current().metrics.borrow_mut().gauges,
            name,
            labels,
        );
        Self(name.to_owned())
    }

    pub(crate) fn set(&self, value: i64, values: &[&str]) {
        *at(
            &mut World::current().metrics.borrow_mut().gauges,
            &self.0,
            values,
        ) = value;
    }
}

impl Timer {
    pub(crate) fn new(name: &str, labels: &[&str]) -> Self {
        declare(
            &mut World::current().metrics.borrow_mut().timers,
            name,
            labels,
        );
        Self(name.to_owned())
    }

    pub(crate) fn record_us(&self, micros: u64, values: &[&str]) {
        at(
            &mut World::current().metrics.borrow_mut().timers,
            &self.0,
            values,
        )
        .push(micros);
    }
}
