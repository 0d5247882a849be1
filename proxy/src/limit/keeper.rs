//! What is said between a gateway and whoever keeps the whole of the buckets
//! that gateways share, in rounds: all that is to be said, and all answers to it.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::key::Claim;
use super::limiter::Limiter;
use super::now::Now;

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

/// Those who wait for the keeper, and the rounds in which it is asked.
pub(super) struct Rounds {
    /// The last that has ended.
    ended: watch::Sender<u64>,
    asked: Notify,
    /// How long a request waits at most.
    patience: Duration,
}

impl Rounds {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            ended: watch::Sender::new(0),
            asked: Notify::new(),
            patience,
        }
    }

    /// Until when somebody waits who begins now.
    pub(super) fn patience(&self) -> Instant {
        Instant::now() + self.patience
    }

    /// Waits until a round has ended. Returns whether it has, in time.
    pub(super) async fn end_of(&self, round: u64, until: Instant) -> bool {
        self.asked.notify_one();
        let mut ended = self.ended.subscribe();
        let ended = ended.wait_for(|ended| *ended >= round);
        matches!(timeout_at(until, ended).await, Ok(Ok(_)))
    }
}

/// For whoever asks the keeper on behalf of all requests.
impl Limiter {
    /// Waits until somebody wants something.
    pub async fn wanted(&self) {
        self.rounds.asked.notified().await;
    }

    /// Begins a round: all that is to be said now.
    pub fn orders(&self, now: Now) -> (u64, Vec<Order>) {
        self.table().orders(&now)
    }

    /// The keeper has answered orders, one by one.
    pub fn filled(&self, orders: &[Order], filled: &[Filled], now: Now) {
        let mut table = self.table();
        for (order, filled) in orders.iter().zip(filled) {
            if let Some(shared) = table.shared(&order.claim) {
                shared.filled(order, filled, &now);
            }
        }
    }

    /// Nobody knows whether the keeper has heard orders.
    pub fn unheard(&self, orders: &[Order]) {
        let mut table = self.table();
        for order in orders {
            if let Some(shared) = table.shared(&order.claim) {
                shared.unheard();
            }
        }
    }

    /// A round has ended: those who waited look again.
    pub fn ended(&self, round: u64) {
        self.rounds.ended.send_replace(round);
    }

    /// The keeper can be asked from now on, or no more. Those who wait look again.
    pub fn keep(&self, keeper: Keeper, now: Now) {
        let round = self.table().keep(keeper, &now);
        self.ended(round);
    }

    /// Gives back all that was taken and not used, as the last thing to be said.
    pub fn leave(&self, now: Now) -> Vec<Order> {
        self.table().leave(&now)
    }
}
