//! What is shown of the store that gateways share.

use std::sync::Arc;

use crate::observe::{Counter, Gauge, RegisterError, Registry};

/// The metrics of the store.
pub(super) struct Meters {
    up: Arc<Gauge>,
    failures: Arc<Counter>,
}

impl Meters {
    pub(super) fn new(registry: &Registry) -> Result<Self, RegisterError> {
        Ok(Self {
            up: registry.gauge("limits.store_up", &[])?,
            failures: registry.counter("limits.store_failures", &[])?,
        })
    }

    pub(super) fn is_up(&self, is_up: bool) {
        let shown = self.up.set(is_up.into(), &[]);
        shown.expect("it has no labels");
    }

    pub(super) fn failed(&self) {
        self.failures.add(1, &[]).expect("it has no labels");
    }
}
