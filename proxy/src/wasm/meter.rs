//! What is counted and logged of calls into filters.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::failure::{Failure, Hook};
use super::log::LogBudget;
use crate::observe::{Count, Counter, RegisterError, Registry};

/// Failures of one filter that are logged within a second; all are counted.
const REPORTS: u32 = 5;

/// The metrics of all filters, by filter and hook.
pub(super) struct Meters {
    calls: Arc<Counter>,
    busy: Arc<Counter>,
    failures: Arc<Counter>,
    log_dropped: Arc<Counter>,
}

/// The metrics of one filter.
pub(super) struct Meter {
    calls: [HookMeter; 3],
    failures: Arc<Counter>,
    reports: LogBudget,
}

struct HookMeter {
    calls: Arc<Count>,
    busy_ns: Arc<Count>,
}

impl Meters {
    pub(super) fn new(registry: &Registry) -> Result<Self, RegisterError> {
        let labels = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let hook = labels(&["filter", "hook"]);
        Ok(Self {
            calls: registry.counter("filter.{filter}.{hook}.calls", &hook)?,
            busy: registry.counter("filter.{filter}.{hook}.busy_nanoseconds", &hook)?,
            failures: registry.counter(
                "filter.{filter}.{hook}.failures.{kind}",
                &labels(&["filter", "hook", "kind"]),
            )?,
            log_dropped: registry
                .counter("filter.{filter}.log_lines_dropped", &labels(&["filter"]))?,
        })
    }

    /// The metrics of one filter.
    pub(super) fn of(&self, filter: &str) -> Meter {
        let calls = [Hook::OnRequest, Hook::Place, Hook::OnComplete].map(|hook| HookMeter {
            calls: cell(&self.calls, &[filter, hook.as_str()]),
            busy_ns: cell(&self.busy, &[filter, hook.as_str()]),
        });
        Meter {
            calls,
            failures: Arc::clone(&self.failures),
            reports: LogBudget::new(REPORTS),
        }
    }

    /// Counts the lines that a filter logged in vain.
    pub(super) fn log_dropped(&self, filter: &str) -> Arc<Count> {
        cell(&self.log_dropped, &[filter])
    }
}

fn cell(counter: &Counter, values: &[&str]) -> Arc<Count> {
    counter.of(values).expect("there is a value for each label")
}

impl Meter {
    /// Counts a call that began at `start` and ends now.
    pub(super) fn called(&self, hook: Hook, start: Instant) {
        let meter = match hook {
            Hook::Start | Hook::Configure => return,
            Hook::OnRequest => &self.calls[0],
            Hook::Place => &self.calls[1],
            Hook::OnComplete => &self.calls[2],
        };
        meter.calls.add(1);
        meter.busy_ns.add(nanos(start.elapsed()));
    }

    /// Counts and logs a failure: the one place where that happens.
    pub(super) fn failed(&self, failure: &Failure, digest: &str) {
        let values = [
            &*failure.filter,
            failure.hook.as_str(),
            failure.kind.as_str(),
        ];
        self.failures
            .add(1, &values)
            .expect("there is a value for each label");
        let Some(leave) = self.reports.ask(Instant::now()) else {
            return;
        };
        tracing::error!(
            target: "headworks::filter",
            filter = &*failure.filter,
            hook = failure.hook.as_str(),
            kind = failure.kind.as_str(),
            digest,
            not_logged = leave.dropped,
            backtrace = failure.backtrace.as_deref(),
            "{failure}",
        );
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
