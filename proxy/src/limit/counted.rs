//! What was used of a bucket, counted by the kind of its time.

use super::budget::{Budget, Period};
use super::gcra::Gcra;
use super::held::Held;
use super::level::Level;
use super::now::Now;
use super::window::Window;

/// The level that suits a budget.
#[derive(Debug)]
pub(super) enum Counted {
    Rolling(Gcra),
    Calendar(Window),
    AtOnce(Held),
}

impl Counted {
    /// Of which so much was used before; only a day or a month asks.
    pub(super) fn new(budget: &Budget, before: impl FnOnce() -> u64, now: &Now) -> Self {
        match budget.period {
            Period::Rolling(_) => Self::Rolling(Gcra::new(budget, now)),
            Period::Day | Period::Month => Self::Calendar(Window::new(budget, before(), now)),
            Period::AtOnce => Self::AtOnce(Held::default()),
        }
    }

    pub(super) fn level(&self) -> &dyn Level {
        match self {
            Self::Rolling(level) => level,
            Self::Calendar(level) => level,
            Self::AtOnce(level) => level,
        }
    }

    pub(super) fn level_mut(&mut self) -> &mut dyn Level {
        match self {
            Self::Rolling(level) => level,
            Self::Calendar(level) => level,
            Self::AtOnce(level) => level,
        }
    }
}
