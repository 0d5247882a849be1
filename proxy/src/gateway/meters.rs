//! What the gateway counts itself, whatever filters count.

use std::sync::Arc;
use std::time::Duration;

use crate::api::Api;
use crate::exchange::End;
use crate::observe::{Counter, Level, RegisterError, Registry, Timer};

/// The gateway's own metrics.
pub(super) struct Meters {
    exchanges: Arc<Counter>,
    latency: Arc<Timer>,
    unreachable: Arc<Counter>,
    in_flight: Arc<Level>,
}

impl Meters {
    pub(super) fn new(registry: &Registry) -> Result<Self, RegisterError> {
        let labels = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let in_flight = registry.gauge("gateway.in_flight", &[])?;
        Ok(Self {
            exchanges: registry
                .counter("gateway.exchanges.{api}.{end}", &labels(&["api", "end"]))?,
            latency: registry.timer("gateway.latency.{api}", &labels(&["api"]))?,
            unreachable: registry.counter("upstream.unreachable.{pool}", &labels(&["pool"]))?,
            in_flight: in_flight.of(&[]).expect("it has no labels"),
        })
    }

    pub(super) fn in_flight(&self) -> Arc<Level> {
        self.in_flight.clone()
    }

    /// An exchange has ended.
    pub(super) fn exchange(&self, api: Api, end: End, took: Duration) {
        let (api, end) = (api.as_str(), end.as_str());
        let counted = self.exchanges.add(1, &[api, end]);
        counted.expect("there is a value for each label");
        let timed = self.latency.record(took, &[api]);
        timed.expect("there is a value for each label");
    }

    /// An endpoint of a pool could not be reached.
    pub(super) fn unreachable(&self, pool: &str) {
        let counted = self.unreachable.add(1, &[pool]);
        counted.expect("there is a value for each label");
    }
}
