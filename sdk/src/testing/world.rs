//! The gateway's side of a test: what outlives one call of the filter.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::exchange::Exchange;
use super::registry::Registry;
use super::store::Store;
use crate::{Allowance, Candidate, Filter, Problems, Settings};

thread_local! {
    static CURRENT: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// What a filter under test can reach through the SDK.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) name: String,
    pub(crate) pools: BTreeMap<String, Vec<Candidate>>,
    pub(crate) models: BTreeSet<String>,
    pub(crate) grants: BTreeSet<String>,
    pub(crate) budgets: RefCell<Vec<Allowance>>,
    pub(crate) served: RefCell<BTreeSet<String>>,
    pub(crate) configuring: Cell<bool>,
    pub(crate) elapsed: Cell<Duration>,
    pub(crate) chance: Cell<u64>,
    pub(crate) store: RefCell<Store>,
    pub(crate) metrics: RefCell<Registry>,
    pub(crate) logs: RefCell<Vec<String>>,
    /// That of the hook under way.
    pub(crate) exchange: RefCell<Option<Exchange>>,
}

impl World {
    /// The world of the filter that now runs on this thread.
    pub(crate) fn current() -> Rc<Self> {
        let current = CURRENT.with_borrow(Clone::clone);
        current.expect("the SDK needs a gateway: run the filter through `testing::host`")
    }

    /// Runs a filter's code in this world.
    pub(crate) fn run<T>(self: &Rc<Self>, code: impl FnOnce() -> T) -> T {
        let _guard = Leave(CURRENT.replace(Some(self.clone())));
        code()
    }

    /// Makes an instance of a filter. If its settings are wrong, this world is as
    /// it was.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn configure<F: Filter>(self: &Rc<Self>, settings: Value) -> Result<F, Problems> {
        let json = settings.to_string();
        drop(settings);
        let (budgets, served) = (self.budgets.take(), self.served.take());
        self.configuring.set(true);
        let filter = self.run(|| F::Config::decode(&json).and_then(F::configure));
        self.configuring.set(false);
        if filter.is_err() {
            self.budgets.replace(budgets);
            self.served.replace(served);
        }
        filter
    }

    /// Runs a hook in this world, which has the exchange for that time.
    pub(crate) fn lend<T>(self: &Rc<Self>, exchange: &mut Exchange, hook: impl FnOnce() -> T) -> T {
        self.exchange.replace(Some(mem::take(exchange)));
        let decided = self.run(hook);
        *exchange = self.exchange.take().expect("a hook gives it back");
        decided
    }

    /// Looks at the exchange of the hook under way, or changes it.
    pub(crate) fn with_exchange<T>(&self, act: impl FnOnce(&mut Exchange) -> T) -> T {
        let mut exchange = self.exchange.borrow_mut();
        act(exchange
            .as_mut()
            .expect("there is a request in a hook only"))
    }

    /// Whether a pool exists. With none declared every name is one.
    ///
    /// # Errors
    /// There is none of this name.
    pub(crate) fn find_pool(&self, name: &str) -> Result<(), String> {
        if self.pools.is_empty() || self.pools.contains_key(name) {
            return Ok(());
        }
        let known: Vec<&str> = self.pools.keys().map(String::as_str).collect();
        Err(format!("no pool `{name}`; there are: {}", known.join(", ")))
    }

    /// `model` if it is declared or served, else `other`. With none of either
    /// every name is a model.
    pub(crate) fn model_label(&self, model: &str) -> String {
        let served = self.served.borrow();
        let any = self.models.is_empty() && served.is_empty();
        let known = any || self.models.contains(model) || served.contains(model);
        if known {
            model.to_owned()
        } else {
            "other".to_owned()
        }
    }
}

/// Goes back to the world before, also when a filter panics.
struct Leave(Option<Rc<World>>);

impl Drop for Leave {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}
