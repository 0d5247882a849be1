//! A filter in its mock gateway.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::call::Call;
use super::registry::Kind;
use super::world::World;
use crate::{Allowance, Filter, Problems};

/// A loaded filter and the gateway around it.
pub struct MockHost<F> {
    world: Rc<World>,
    filter: Rc<F>,
}

impl<F: Filter> MockHost<F> {
    pub(super) fn new(world: Rc<World>, filter: F) -> Self {
        Self {
            world,
            filter: Rc::new(filter),
        }
    }

    /// A call of `POST /v1/chat/completions`.
    pub fn chat(&mut self, model: &str) -> Call<F> {
        self.call("openai.chat", "/v1/chat/completions", model)
    }

    /// A call of `POST /v1/completions`.
    pub fn completions(&mut self, model: &str) -> Call<F> {
        self.call("openai.completions", "/v1/completions", model)
    }

    /// A call of `POST /v1/generate`.
    pub fn generate(&mut self, model: &str) -> Call<F> {
        self.call("unified", "/v1/generate", model)
    }

    /// A call of TGI's `POST /generate`, which names no model.
    pub fn tgi(&mut self) -> Call<F> {
        self.call("tgi.generate", "/generate", "")
    }

    fn call(&self, api: &str, path: &str, model: &str) -> Call<F> {
        let (world, filter) = (Rc::clone(&self.world), Rc::clone(&self.filter));
        Call::new(world, filter, (api, path), model)
    }

    /// Puts another instance in the filter's place, with these settings. What the
    /// gateway keeps stays: store, metrics, clock; requests that were sent keep
    /// the instance they began with.
    ///
    /// ```
    /// use headworks_sdk::prelude::*;
    ///
    /// #[on_request]
    /// fn once(request: &mut Request) -> Verdict {
    ///     match store::increment(request.model(), 1, None) {
    ///         1 => Verdict::Next,
    ///         _ => Verdict::forbid("once is enough"),
    ///     }
    /// }
    ///
    /// let mut host = testing::host::<Once>(json!({})).unwrap();
    /// assert!(host.chat("llama3").send().rejection().is_none());
    /// host.reload(json!({})).unwrap();
    /// assert!(host.chat("llama3").send().rejection().is_some());
    /// ```
    ///
    /// # Errors
    /// What is wrong with the settings; the instance before then stays.
    pub fn reload(&mut self, settings: Value) -> Result<(), Problems> {
        self.filter = Rc::new(self.world.configure(settings)?);
        Ok(())
    }

    /// Lets time pass.
    pub fn advance(&mut self, time: Duration) {
        self.world.elapsed.set(self.world.elapsed.get() + time);
    }

    /// What a counter has come to under these label values.
    ///
    /// # Panics
    /// When the filter has no such counter, or with other labels.
    #[must_use]
    pub fn counter(&self, name: &str, values: &[&str]) -> u64 {
        let metrics = self.world.metrics.borrow();
        let counted: i64 = metrics.samples(Kind::Counter, name, values).iter().sum();
        counted.unsigned_abs()
    }

    /// What a gauge was set to last, under these label values.
    ///
    /// # Panics
    /// When the filter has no such gauge, or with other labels.
    #[must_use]
    pub fn gauge(&self, name: &str, values: &[&str]) -> Option<i64> {
        let metrics = self.world.metrics.borrow();
        metrics.samples(Kind::Gauge, name, values).last().copied()
    }

    /// The durations that a timer recorded under these label values.
    ///
    /// # Panics
    /// When the filter has no such timer, or with other labels.
    #[must_use]
    pub fn timer(&self, name: &str, values: &[&str]) -> Vec<Duration> {
        let metrics = self.world.metrics.borrow();
        let micros = metrics.samples(Kind::Timer, name, values).iter();
        micros
            .map(|micros| Duration::from_micros(micros.unsigned_abs()))
            .collect()
    }

    /// The budgets that the filter declared, in order.
    #[must_use]
    pub fn budgets(&self) -> Vec<Allowance> {
        self.world.budgets.borrow().clone()
    }

    /// The lines logged so far: `warn: no pool for ...`.
    #[must_use]
    pub fn logs(&self) -> Vec<String> {
        self.world.logs.borrow().clone()
    }

    /// The models that the filter declared with
    /// [`setup::serves_model`](crate::setup::serves_model), sorted.
    #[must_use]
    pub fn models(&self) -> Vec<String> {
        self.world.served.borrow().iter().cloned().collect()
    }
}

impl<F> fmt::Debug for MockHost<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockHost")
            .field("name", &self.world.name)
            .finish_non_exhaustive()
    }
}
