//! One instance of a filter: its memory, and the way into it. It serves one
//! call at a time, and none after one that failed.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Error, Result, Store};

use super::bindings::hooks::Guest;
use super::bindings::types::{Plan, SettingsProblem};
use super::bindings::{self, FilterPre};
use super::failure::Hook;
use super::state::{Declared, Scope, State};
use crate::exchange::Exchange;

/// One instance of a filter.
pub(super) struct Instance {
    store: Store<State>,
    exports: bindings::Filter,
    /// Calls so far.
    pub(super) calls: u64,
}

/// An instance, and what it made of its settings.
pub(super) struct Configured {
    pub(super) instance: Instance,
    pub(super) plan: Result<Plan, Vec<SettingsProblem>>,
    pub(super) declared: Declared,
}

/// A call that ended in an error. The instance cannot be entered again.
pub(super) struct Stopped {
    pub(super) hook: Hook,
    pub(super) error: Error,
    /// The last error that the guest logged in the call.
    pub(super) last_words: Option<String>,
}

impl Stopped {
    fn new(hook: Hook, error: Error, store: &mut Store<State>) -> Self {
        let last_words = store.data_mut().last_words.take();
        Self {
            hook,
            error,
            last_words,
        }
    }
}

impl Instance {
    /// Makes an instance and has it read its settings, all before the deadline.
    pub(super) fn start(
        code: &FilterPre<State>,
        scope: Arc<Scope>,
        max_memory: usize,
        deadline: Duration,
        settings: &str,
    ) -> Result<Configured, Stopped> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is where stores get their limits"
        )]
        let mut store = Store::new(code.engine(), State::new(scope, max_memory));
        store.limiter(|state| &mut state.memory);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().tick()));
        begin(&mut store, deadline);
        let started = code.instantiate(&mut store);
        let exports = started.map_err(|error| Stopped::new(Hook::Start, error, &mut store))?;
        let hooks = exports.headworks_filter_hooks();
        let plan = hooks.call_configure(&mut store, settings);
        let plan = plan.map_err(|error| Stopped::new(Hook::Configure, error, &mut store))?;
        let declared = store.data_mut().declared.take().unwrap_or_default();
        let instance = Self {
            store,
            exports,
            calls: 0,
        };
        Ok(Configured {
            instance,
            plan,
            declared,
        })
    }

    /// Calls a hook. The exchange is the instance's for the time of the call.
    pub(super) fn call<R>(
        &mut self,
        hook: Hook,
        exchange: Box<Exchange>,
        deadline: Duration,
        enter: impl FnOnce(&Guest, &mut Store<State>) -> Result<R>,
    ) -> (Box<Exchange>, Result<R, Stopped>) {
        self.calls += 1;
        begin(&mut self.store, deadline);
        self.store.data_mut().exchange = Some(exchange);
        let result = enter(self.exports.headworks_filter_hooks(), &mut self.store);
        let state = self.store.data_mut();
        let exchange = state
            .exchange
            .take()
            .expect("it was put there above, and imports only borrow it");
        let result = result.map_err(|error| Stopped::new(hook, error, &mut self.store));
        (exchange, result)
    }
}

/// Lets a call run until the next tick, which judges it by its deadline.
fn begin(store: &mut Store<State>, deadline: Duration) {
    store.set_epoch_deadline(1);
    store.data_mut().begin(deadline);
}
