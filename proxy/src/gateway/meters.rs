//! What the gateway counts itself, whatever filters count.

use std::sync::Arc;
use std::time::Duration;

use crate::api::Api;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::observe::{Count, Counter, Gauge, Level, RegisterError, Registry, Timer};
use crate::outcome::End;

/// The gateway's own metrics.
pub(super) struct Meters {
    exchanges: Arc<Counter>,
    latency: Arc<Timer>,
    own_time: Arc<Timer>,
    queued: Arc<Timer>,
    waiting: Arc<Gauge>,
    failures: Arc<Counter>,
    retries: Arc<Counter>,
    fallbacks: Arc<Counter>,
    limited: Arc<Counter>,
    would_be_limited: Arc<Counter>,
    stopped: Arc<Count>,
    unknown_keys: Arc<Count>,
    in_flight: Arc<Level>,
}

impl Meters {
    pub(super) fn new(registry: &Registry) -> Result<Self, RegisterError> {
        let labels = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let in_flight = registry.gauge("gateway.in_flight", &[])?;
        let stopped = registry.counter("limits.stopped_streams", &[])?;
        let unknown_keys = registry.counter("gateway.unknown_keys", &[])?;
        Ok(Self {
            exchanges: registry
                .counter("gateway.exchanges.{api}.{end}", &labels(&["api", "end"]))?,
            latency: registry.timer("gateway.latency.{api}", &labels(&["api"]))?,
            own_time: registry.timer("gateway.own_time.{api}", &labels(&["api"]))?,
            queued: registry.timer("gateway.queued.{pool}", &labels(&["pool"]))?,
            waiting: registry.gauge("gateway.waiting.{pool}", &labels(&["pool"]))?,
            failures: registry.counter(
                "upstream.failures.{pool}.{kind}",
                &labels(&["pool", "kind"]),
            )?,
            retries: registry.counter(
                "upstream.retries.{pool}.{verdict}",
                &labels(&["pool", "verdict"]),
            )?,
            fallbacks: registry.counter("upstream.fallbacks.{pool}", &labels(&["pool"]))?,
            limited: registry.counter("limits.{budget}.refused", &labels(&["budget"]))?,
            would_be_limited: registry
                .counter("limits.{budget}.would_be_refused", &labels(&["budget"]))?,
            stopped: stopped.of(&[]).expect("it has no labels"),
            unknown_keys: unknown_keys.of(&[]).expect("it has no labels"),
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

    /// Where the time of an exchange went, besides its endpoint.
    pub(super) fn times(&self, exchange: &Exchange) {
        let outcome = &exchange.outcome;
        if let Some(own) = outcome.own_time {
            let timed = self.own_time.record(own, &[exchange.call.api.as_str()]);
            timed.expect("there is a value for each label");
        }
        if let Some(pool) = exchange.pool.as_ref().filter(|_| !outcome.queued.is_zero()) {
            let timed = self.queued.record(outcome.queued, &[&pool.name]);
            timed.expect("there is a value for each label");
        }
    }

    /// A request is in line for a pool until what this gives is dropped.
    pub(super) fn waiting(&self, pool: &str) -> Waiting {
        let level = self.waiting.of(&[pool]);
        let level = level.expect("there is a value for each label");
        level.add(1);
        Waiting(level)
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

    /// A budget had no room for a request.
    pub(super) fn limited(&self, budget: &str) {
        let counted = self.limited.add(1, &[budget]);
        counted.expect("there is a value for each label");
    }

    /// A budget that only looks on had no room for a request.
    pub(super) fn would_be_limited(&self, budget: &str) {
        let counted = self.would_be_limited.add(1, &[budget]);
        counted.expect("there is a value for each label");
    }

    /// A request came without a key that is known.
    pub(super) fn unknown_key(&self) {
        self.unknown_keys.add(1);
    }

    /// A stream was ended since a budget had no room for more of it.
    pub(super) fn stopped(&self) {
        self.stopped.add(1);
    }
}

/// A request in line, counted as one.
pub(super) struct Waiting(Arc<Level>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}
