//! A bucket of what exchanges hold at one time, and give back when they end.

use std::time::Duration;

use super::budget::Budget;
use super::level::{Fit, Level};
use super::now::Now;

/// When to ask again: nobody knows when an exchange will end.
const SOON: Duration = Duration::from_secs(1);

/// What running exchanges hold.
#[derive(Debug, Default)]
pub(super) struct Held(u64);

impl Level for Held {
    fn pass(&mut self, _: &Now) {}

    fn fit(&self, need: u64, budget: &Budget, _: &Now) -> Fit {
        if need <= self.remaining(budget) {
            Fit::Now
        } else {
            Fit::After(SOON)
        }
    }

    fn charge(&mut self, amount: u64) -> i64 {
        self.0 = self.0.saturating_add(amount);
        0
    }

    fn give_back(&mut self, amount: u64, _: i64) {
        self.0 = self.0.saturating_sub(amount);
    }

    fn remaining(&self, budget: &Budget) -> u64 {
        budget.amount.saturating_sub(self.0)
    }

    fn reset(&self, _: &Now) -> Duration {
        if self.0 == 0 { Duration::ZERO } else { SOON }
    }

    fn is_unused(&self) -> bool {
        self.0 == 0
    }

    fn is_in_debt(&self, _: &Budget) -> bool {
        false
    }

    fn used(&self) -> u64 {
        self.0
    }

    fn set(&mut self, used: u64) {
        self.0 = used;
    }
}
