//! What the gateway counts itself, whatever filters count.

use std::sync::Arc;
use std::time::Duration;

use crate::api::Api;
use crate::error::Error;
use crate::observe::{Counter, Level, RegisterError, Registry, Timer};
use crate::outcome::End;

/// The gateway's own metrics.
pub(super) struct Meters {
    exchanges: Arc<Counter>,
    latency: Arc<Timer>,
    failures: Arc<Counter>,
    retries: Arc<Counter>,
    fallbacks: Arc<Counter>,
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
            failures: registry.counter(
                "upstream.failures.{pool}.{kind}",
                &labels(&["pool", "kind"]),
            )?,
            retries: registry.counter(
                "upstream.retries.{pool}.{verdict}",
                &labels(&["pool", "verdict"]),
            )?,
            fallbacks: registry.counter("upstream.fallbacks.{pool}", &labels(&["pool"]))?,
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

    /// An endpoint of a pool failed.
    pub(super) fn failed(&self, pool: &str, error: &Error) {
        let counted = self.failures.add(1, &[pool, error.kind()]);
        counted.expect("there is a value for each label");
    }

    /// A request could be sent to a second endpoint, if the pool had a retry left.
    pub(super) fn retried(&self, pool: &str, had_one: bool) {
        let verdict = if had_one { "made" } else { "denied" };
        let counted = self.retries.add(1, &[pool, verdict]);
        counted.expect("there is a value for each label");
    }

    /// A request went to the fallback of a pool that failed.
    pub(super) fn fell_back(&self, pool: &str) {
        let counted = self.fallbacks.add(1, &[pool]);
        counted.expect("there is a value for each label");
    }
}
