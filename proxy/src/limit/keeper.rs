//! What is said between a gateway and whoever keeps the whole of the buckets
//! that gateways share.

use std::time::Duration;

use super::key::Claim;

/// Whether somebody keeps the whole of the buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// It can be asked.
    Answers,
    /// It cannot.
    Gone {
        /// Each gateway goes on with its part of the budgets, one of so many;
        /// otherwise nothing is let in that has to ask.
        parts: Option<u64>,
    },
}

/// What the keeper is told of one bucket, and what is wanted of it.
#[derive(Debug, Clone)]
pub struct Order {
    /// The bucket.
    pub claim: Claim,
    /// Which day or month, counted from a fixed one; 0 where time is rolling.
    pub window: i64,
    /// All that this gateway has taken of it, in this window.
    pub taken: u64,
    /// What of that the keeper has been told before.
    pub known: u64,
    /// All that was used of it as far as is known here, for a keeper that has
    /// forgotten.
    pub whole: u64,
    /// In what time a day or a month ends.
    pub window_ends: Duration,
    /// What may be given beyond what is needed, where there is much.
    pub more: u64,
    /// What is needed, each of it whole or not at all.
    pub needs: Vec<u64>,
}

/// What the keeper says to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// All that was used of the bucket, with what was given.
    pub used: u64,
    /// What was given.
    pub given: u64,
    /// Whether that was all that was needed.
    pub all: bool,
}
