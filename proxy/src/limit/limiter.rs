//! Every bucket of every budget.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::budget::Budget;
use super::keeper::Keeper;
use super::key::Key;
use super::rounds::Rounds;
use super::table::{Prior, Table};
use crate::day::Day;

/// All buckets. One lock is over all of them: what is done under it is short,
/// and it makes "all or nothing" plain.
pub struct Limiter {
    table: Mutex<Table>,
    pub(super) prior: Box<Prior>,
    pub(super) rounds: Rounds,
}

impl Limiter {
    /// Without buckets. `prior` says what a budget of a day or a month had used
    /// of that of a day before its bucket was there. It is called under
    /// the lock, so it should not wait for anything.
    pub fn new(prior: impl Fn(&Budget, &Key, Day) -> u64 + Send + Sync + 'static) -> Self {
        Self {
            table: Mutex::default(),
            prior: Box::new(prior),
            rounds: Rounds::new(Duration::ZERO),
        }
    }

    /// Shares all buckets with other gateways. For whoever keeps the whole of
    /// them a request waits at most so long; until it answers, `keeper` counts.
    pub fn shared(mut self, patience: Duration, keeper: Keeper) -> Self {
        self.rounds = Rounds::new(patience);
        self.table.get_mut().share(keeper);
        self
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
    }
}
