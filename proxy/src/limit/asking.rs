//! The limiter as it is seen by whoever asks the keeper of shared buckets, in
//! rounds.

use super::keeper::{Filled, Keeper, Order};
use super::limiter::Limiter;
use super::now::Now;

/// For whoever asks the keeper on behalf of all requests.
impl Limiter {
    /// Waits until somebody wants something.
    pub async fn wanted(&self) {
        self.rounds.wanted().await;
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
        self.rounds.end(round);
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
