//! What an instance may touch: the data of its wasmtime store.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::UpdateDeadline;

use super::deadline::Deadline;
use super::failure::BadCall;
use super::keyvalue::KeyValue;
use super::limits::MemoryCap;
use super::log::LogBudget;
use super::metrics::Metrics;
use super::ticker::Ticker;
use crate::config::Grant;
use crate::exchange::Exchange;
use crate::limit::Allowance;
use crate::observe::{Count, Registry};
use crate::upstream::Pools;

/// What all instances of a loaded filter share.
pub(super) struct Scope {
    pub(super) name: Arc<str>,
    /// The filter's place in the chain.
    pub(super) place: usize,
    pub(super) pools: Arc<Pools>,
    pub(super) grants: BTreeSet<Grant>,
    pub(super) store: Arc<KeyValue>,
    pub(super) registry: Arc<Registry>,
    pub(super) ticker: Arc<Ticker>,
    pub(super) log: LogBudget,
    /// Lines that the budget for logs had no room for.
    pub(super) log_dropped: Arc<Count>,
}

/// The data of one instance's store.
pub(super) struct State {
    pub(super) scope: Arc<Scope>,
    /// How long the call under way may take.
    deadline: Deadline,
    /// The exchange of the call under way.
    pub(super) exchange: Option<Box<Exchange>>,
    /// What the filter declares, while `configure` runs.
    pub(super) declared: Option<Declared>,
    /// The last error that the guest logged in the call under way.
    pub(super) last_words: Option<String>,
    pub(super) metrics: Metrics,
    /// The budgets that it declared, by number.
    pub(super) budgets: Vec<Arc<Allowance>>,
    pub(super) memory: MemoryCap,
}

/// What a filter declares in `configure`.
#[derive(Default)]
pub(super) struct Declared {
    /// The models that it serves.
    pub(super) models: BTreeSet<String>,
}

impl State {
    /// The state of an instance that is about to be configured.
    pub(super) fn new(scope: Arc<Scope>, max_memory: usize) -> Self {
        Self {
            scope,
            deadline: Deadline::new(Duration::ZERO),
            exchange: None,
            declared: Some(Declared::default()),
            last_words: None,
            metrics: Metrics::default(),
            budgets: Vec::new(),
            memory: MemoryCap::new(max_memory),
        }
    }

    /// A call begins.
    pub(super) fn begin(&mut self, deadline: Duration) {
        self.deadline = Deadline::new(deadline);
        self.last_words = None;
        self.scope.ticker.ask();
    }

    /// A tick found the call still running.
    pub(super) fn tick(&mut self) -> UpdateDeadline {
        self.scope.ticker.hurry();
        self.deadline.judge()
    }

    /// The exchange of the call under way.
    pub(super) fn exchange(&mut self) -> Result<&mut Exchange, BadCall> {
        self.exchange
            .as_deref_mut()
            .ok_or_else(|| BadCall("there is no request to ask about".to_owned()))
    }
}
