//! One bucket: its budget as it was declared last, and what was used of it.

use std::sync::Arc;

use super::budget::{Budget, Period};
use super::gcra::Gcra;
use super::held::Held;
use super::level::{Fit, Level};
use super::now::Now;
use super::standing::Standing;
use super::window::Window;

/// A bucket.
pub(super) struct Bucket {
    budget: Arc<Budget>,
    used: Used,
    /// Reservations that have not ended.
    holders: usize,
}

enum Used {
    Rolling(Gcra),
    Calendar(Window),
    AtOnce(Held),
}

impl Bucket {
    /// A bucket of which so much was used before; only a day or a month asks.
    pub(super) fn new(budget: &Arc<Budget>, before: impl FnOnce() -> u64, now: &Now) -> Self {
        let used = match budget.period {
            Period::Rolling(_) => Used::Rolling(Gcra::new(budget, now)),
            Period::Day | Period::Month => Used::Calendar(Window::new(budget, before(), now)),
            Period::AtOnce => Used::AtOnce(Held::default()),
        };
        Self {
            budget: Arc::clone(budget),
            used,
            holders: 0,
        }
    }

    /// Brings it up to now, by the numbers that it had until now.
    pub(super) fn declare(&mut self, budget: &Arc<Budget>, now: &Now) {
        self.level_mut().pass(now);
        if !Arc::ptr_eq(&self.budget, budget) {
            self.level_mut().declare(budget);
            self.budget = Arc::clone(budget);
        }
    }

    pub(super) fn fit(&mut self, need: u64, now: &Now) -> Fit {
        self.level_mut().pass(now);
        if self.budget.could_fit(need) {
            self.level().fit(need, &self.budget, now)
        } else {
            Fit::Never
        }
    }

    /// A reservation begins: the bucket stays until it ends.
    pub(super) fn hold(&mut self) {
        self.holders += 1;
    }

    /// A reservation ends. What it held at one time comes back.
    pub(super) fn release(&mut self, held: u64) {
        self.holders = self.holders.saturating_sub(1);
        if let Used::AtOnce(level) = &mut self.used {
            level.give_back(held, 0);
        }
    }

    pub(super) fn charge(&mut self, amount: u64, now: &Now) -> i64 {
        self.level_mut().pass(now);
        self.level_mut().charge(amount)
    }

    pub(super) fn give_back(&mut self, amount: u64, window: i64, now: &Now) {
        self.level_mut().pass(now);
        self.level_mut().give_back(amount, window);
    }

    /// How it stands, as of the last time that something happened to it.
    pub(super) fn standing(&self, now: &Now) -> Standing {
        Standing {
            budget: Arc::clone(&self.budget),
            limit: self.budget.amount,
            remaining: self.remaining(),
            reset: self.level().reset(now),
        }
    }

    pub(super) fn remaining(&self) -> u64 {
        self.level().remaining(&self.budget)
    }

    /// Whether it can be made anew without a difference.
    pub(super) fn is_idle(&mut self, now: &Now) -> bool {
        self.level_mut().pass(now);
        self.holders == 0 && self.level().is_unused()
    }

    /// Whether it has to be kept even when there are too many.
    pub(super) fn has_to_stay(&self) -> bool {
        self.holders > 0 || self.level().is_in_debt(&self.budget)
    }

    fn level(&self) -> &dyn Level {
        match &self.used {
            Used::Rolling(level) => level,
            Used::Calendar(level) => level,
            Used::AtOnce(level) => level,
        }
    }

    fn level_mut(&mut self) -> &mut dyn Level {
        match &mut self.used {
            Used::Rolling(level) => level,
            Used::Calendar(level) => level,
            Used::AtOnce(level) => level,
        }
    }
}
