//! Metrics, kept in the registry of the test.

use crate::testing::registry::{Kind, Registry};
use crate::testing::world::World;

/// The contract's record of the same name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) series: u32,
    pub(crate) value: i64,
}

pub(crate) fn counter(name: &str, labels: &[&str]) -> u32 {
    with(|registry| registry.declare(Kind::Counter, name, labels))
}

pub(crate) fn gauge(name: &str, labels: &[&str]) -> u32 {
    with(|registry| registry.declare(Kind::Gauge, name, labels))
}

pub(crate) fn timer(name: &str, labels: &[&str]) -> u32 {
    with(|registry| registry.declare(Kind::Timer, name, labels))
}

pub(crate) fn series_of(metric: u32, values: &[&str]) -> u32 {
    with(|registry| registry.series_of(metric, values))
}

pub(crate) fn observe(samples: &[Sample]) {
    with(|registry| {
        for sample in samples {
            registry.observe(sample.series, sample.value);
        }
    });
}

fn with<T>(act: impl FnOnce(&mut Registry) -> T) -> T {
    act(&mut World::current().metrics.borrow_mut())
}
