//! One bucket: its budget as it was declared last, and what was used of it.

use std::sync::Arc;

use super::budget::{Budget, Period};
use super::counted::Counted;
use super::keeper::Keeper;
use super::level::{Fit, Level};
use super::now::Now;
use super::shared::Shared;
use super::standing::Standing;

/// A bucket.
pub(super) struct Bucket {
    budget: Arc<Budget>,
    used: Used,
    /// Reservations that have not ended.
    holders: usize,
}

enum Used {
    /// By this gateway, for itself.
    Here(Counted),
    /// By several.
    Shared(Box<Shared>),
}

impl Bucket {
    /// A bucket of which so much was used before; only a day or a month asks.
    /// Others share it if somebody keeps the whole.
    pub(super) fn new(
        budget: &Arc<Budget>,
        before: impl FnOnce() -> u64,
        keeper: Option<Keeper>,
        now: &Now,
    ) -> Self {
        let used = match keeper {
            None => Used::Here(Counted::new(budget, before, now)),
            Some(keeper) => {
                let mut shared = Box::new(Shared::new(budget, before, now));
                shared.keep(keeper, budget, now);
                Used::Shared(shared)
            }
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
        if self.budget.period == Period::AtOnce {
            self.level_mut().give_back(held, 0);
        }
    }

    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Our part of it, if others share it.
    pub(super) fn shared(&mut self) -> Option<&mut Shared> {
        match &mut self.used {
            Used::Here(_) => None,
            Used::Shared(shared) => Some(shared),
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
            Used::Here(counted) => counted.level(),
            Used::Shared(shared) => &**shared,
        }
    }

    fn level_mut(&mut self) -> &mut dyn Level {
        match &mut self.used {
            Used::Here(counted) => counted.level_mut(),
            Used::Shared(shared) => &mut **shared,
        }
    }
}
