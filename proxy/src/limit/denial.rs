//! Why an exchange is not let in.

use std::sync::Arc;
use std::time::Duration;

use super::budget::Budget;
use super::standing::Standing;

/// A budget has no room. Of several it is the one that takes longest to have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{budget} (budget `{}`)", .budget.name)]
pub struct Denial {
    /// The budget.
    pub budget: Arc<Budget>,
    /// When it will have room, if nothing else is used. `None` when so much
    /// never fits.
    pub retry_after: Option<Duration>,
    /// What is left of it.
    pub available: u64,
    /// What would have to be.
    pub needed: u64,
    /// Why.
    pub cause: Cause,
    pub(super) standings: Vec<Standing>,
}

/// Why a budget does not let an exchange in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It has no room.
    NoRoom,
    /// It has too little here, and may have more where all gateways' use is
    /// kept: that is known when this round of asking has ended.
    NotAsked(u64),
    /// Nobody knows, since where all gateways' use is kept does not answer.
    Unknown,
}

impl Denial {
    /// Whoever was to be asked did not answer in time.
    pub(super) fn unanswered(self) -> Self {
        let cause = Cause::Unknown;
        Self { cause, ..self }
    }

    /// How the buckets stand of all budgets that may refuse.
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }
}
