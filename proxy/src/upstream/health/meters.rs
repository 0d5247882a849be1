//! What is shown of endpoints' health. Labels are names of the configuration.

use std::sync::Arc;

use crate::observe::{Counter, Gauge, RegisterError, Registry};

/// The metrics of endpoints, by pool and endpoint.
pub struct Meters {
    up: Arc<Gauge>,
    drained: Arc<Gauge>,
    failed_checks: Arc<Counter>,
    ejections: Arc<Counter>,
}

impl Meters {
    /// Shown in a registry.
    pub fn new(registry: &Registry) -> Result<Self, RegisterError> {
        let labels = ["pool".to_owned(), "endpoint".to_owned()];
        Ok(Self {
            up: registry.gauge("upstream.up.{pool}.{endpoint}", &labels)?,
            drained: registry.gauge("upstream.drained.{pool}.{endpoint}", &labels)?,
            failed_checks: registry.counter("upstream.failed_checks.{pool}.{endpoint}", &labels)?,
            ejections: registry.counter("upstream.ejections.{pool}.{endpoint}", &labels)?,
        })
    }

    /// Whether an endpoint is worth trying, and whether an operator drained it.
    pub(super) fn show(&self, labels: &[Arc<str>; 2], is_up: bool, is_drained: bool) {
        for (gauge, is_so) in [(&self.up, is_up), (&self.drained, is_drained)] {
            let shown = gauge.set(is_so.into(), &values(labels));
            shown.expect("there is a value for each label");
        }
    }

    /// An endpoint was ejected so many times.
    pub(super) fn ejected(&self, labels: &[Arc<str>; 2], times: u32) {
        let counted = self.ejections.add(times.into(), &values(labels));
        counted.expect("there is a value for each label");
    }

    /// An endpoint failed a check.
    pub(super) fn failed_check(&self, labels: &[Arc<str>; 2]) {
        let counted = self.failed_checks.add(1, &values(labels));
        counted.expect("there is a value for each label");
    }

    /// An endpoint is in use no more.
    pub(super) fn forget(&self, labels: &[Arc<str>; 2]) {
        self.up.remove(&values(labels));
        self.drained.remove(&values(labels));
    }
}

fn values(labels: &[Arc<str>; 2]) -> [&str; 2] {
    labels.each_ref().map(|label| &**label)
}
