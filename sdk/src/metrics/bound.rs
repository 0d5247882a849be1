//! Remembers the label sets that a metric was used with, so that those that come
//! again cost no text on the way to the host.

use std::cell::RefCell;
use std::fmt;

use crate::host::metrics::{Counter, Gauge, Timer};

/// Most label sets of a metric that an instance remembers.
const REMEMBERED: usize = 32;

/// A metric of the host.
pub(super) trait Metric {
    /// The metric of one label set.
    fn bind(&self, values: &[&str]) -> Self;
}

impl Metric for Counter {
    fn bind(&self, values: &[&str]) -> Self {
        self.bind(values)
    }
}

impl Metric for Gauge {
    fn bind(&self, values: &[&str]) -> Self {
        self.bind(values)
    }
}

impl Metric for Timer {
    fn bind(&self, values: &[&str]) -> Self {
        self.bind(values)
    }
}

/// A metric, with those of its label sets that were used.
pub(super) struct Bound<M> {
    metric: M,
    sets: RefCell<Vec<Set<M>>>,
}

struct Set<M> {
    values: Box<[String]>,
    metric: M,
}

impl<M: Metric> Bound<M> {
    pub(super) fn to(metric: M) -> Self {
        Self {
            metric,
            sets: RefCell::default(),
        }
    }

    /// Acts on the metric for these values: on the label set without values if
    /// it is remembered, else on the whole with them.
    pub(super) fn with(&self, values: &[&str], act: impl FnOnce(&M, &[&str])) {
        let mut sets = self.sets.borrow_mut();
        if let Some(known) = sets.iter().find(|set| *set.values == *values) {
            return act(&known.metric, &[]);
        }
        if sets.len() == REMEMBERED {
            return act(&self.metric, values);
        }
        let metric = self.metric.bind(values);
        act(&metric, &[]);
        let values = values.iter().map(ToString::to_string).collect();
        sets.push(Set { values, metric });
    }
}

impl<M: fmt::Debug> fmt::Debug for Bound<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.metric.fmt(f)
    }
}
