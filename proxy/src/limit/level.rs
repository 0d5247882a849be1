//! What every kind of bucket can be asked: how much of it was used, by whatever
//! way it counts.

use std::time::Duration;

use super::budget::Budget;
use super::now::Now;

/// Whether a need fits; what is later is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Now,
    /// Whoever keeps the whole has to be asked.
    Ask,
    After(Duration),
    /// Nobody keeps the whole.
    Unknown,
    Never,
}

/// What was used of a bucket. `pass` comes first: all else is as of then.
pub(super) trait Level {
    /// The budget has other numbers from now on.
    fn declare(&mut self, _: &Budget) {}

    /// Time has passed until now.
    fn pass(&mut self, now: &Now);

    /// Whether a need fits that could fit at all.
    fn fit(&self, need: u64, budget: &Budget, now: &Now) -> Fit;

    /// Charges so much, fit or not. Returns in which window of time.
    fn charge(&mut self, amount: u64) -> i64;

    /// Gives back what was charged in a window of time.
    fn give_back(&mut self, amount: u64, window: i64);

    /// What is left.
    fn remaining(&self, budget: &Budget) -> u64;

    /// When all of it is back, if nothing else is used.
    fn reset(&self, now: &Now) -> Duration;

    /// Whether it says no more than a new one.
    fn is_unused(&self) -> bool;

    /// Whether more was used than there was.
    fn is_in_debt(&self, budget: &Budget) -> bool;

    /// The window of time that it is in; 0 where there are none.
    fn window(&self) -> i64 {
        0
    }

    /// What was used and has not come back.
    fn used(&self) -> u64;

    /// So much was used, whatever was thought before.
    fn set(&mut self, used: u64);
}
