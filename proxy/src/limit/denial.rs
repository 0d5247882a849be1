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
    pub(super) standings: Vec<Standing>,
}

impl Denial {
    /// How the buckets stand of all budgets that may refuse.
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }
}
