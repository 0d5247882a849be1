//! What an exchange has reserved, until it ends.

use std::fmt;
use std::sync::Arc;

use super::asked::Asked;
use super::budget::{Budget, Unit};
use super::denial::Denial;
use super::key::Claim;
use super::limiter::Limiter;
use super::now::Now;
use super::rounds::Rounds;
use super::standing::Standing;

/// What an exchange has reserved. Dropped, it has used all of that.
pub struct Reservation {
    limiter: Arc<Limiter>,
    charges: Vec<Charge>,
    /// Tokens.
    reserved: u64,
    shadowed: Vec<Arc<Budget>>,
    standings: Vec<Standing>,
}

/// What one bucket was charged.
pub(super) struct Charge {
    claim: Claim,
    /// In the window of time that it was charged in last.
    amount: u64,
    window: i64,
}

impl Charge {
    pub(super) fn new(claim: Claim, amount: u64, window: i64) -> Self {
        Self {
            claim,
            amount,
            window,
        }
    }

    fn is_of_tokens(&self) -> bool {
        self.claim.budget.unit == Unit::Tokens
    }

    /// More was charged. What was charged in a window before stays there.
    fn add(&mut self, amount: u64, window: i64) {
        if window != self.window {
            self.window = window;
            self.amount = 0;
        }
        self.amount = self.amount.saturating_add(amount);
    }
}

impl Reservation {
    pub(super) fn new(
        limiter: Arc<Limiter>,
        charges: Vec<Charge>,
        reserved: u64,
        shadowed: Vec<Arc<Budget>>,
        standings: Vec<Standing>,
    ) -> Self {
        Self {
            limiter,
            charges,
            reserved,
            shadowed,
            standings,
        }
    }

    /// Where to wait for whoever keeps the whole of its budgets.
    pub(super) fn rounds(&self) -> &Rounds {
        &self.limiter.rounds
    }

    /// Tokens that are reserved.
    pub fn reserved(&self) -> u64 {
        self.reserved
    }

    /// Budgets that would have refused, were they not in the shadow.
    pub fn shadowed(&self) -> &[Arc<Budget>] {
        &self.shadowed
    }

    /// How the buckets stood when this was reserved, of all budgets that may
    /// refuse.
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// Reserves more tokens in all buckets of tokens, or in none.
    pub fn extend(&mut self, tokens: u64, now: Now) -> Result<(), Denial> {
        let mut table = self.limiter.table();
        let mut asked = Asked::default();
        let of_tokens = || self.charges.iter().filter(|charge| charge.is_of_tokens());
        for Charge { claim, .. } in of_tokens() {
            if let Some(bucket) = table.get(claim) {
                asked.ask(bucket, claim, tokens, &now);
            }
        }
        let claims = self.charges.iter().map(|charge| &charge.claim);
        asked.answered(claims, &mut table, &now)?;
        for charge in self
            .charges
            .iter_mut()
            .filter(|charge| charge.is_of_tokens())
        {
            if let Some(bucket) = table.get(&charge.claim) {
                charge.add(tokens, bucket.charge(tokens, &now));
            }
        }
        drop(table);
        self.reserved = self.reserved.saturating_add(tokens);
        self.note(asked.shadowed);
        Ok(())
    }

    fn note(&mut self, shadowed: Vec<Arc<Budget>>) {
        for budget in shadowed {
            if !self.shadowed.contains(&budget) {
                self.shadowed.push(budget);
            }
        }
    }

    /// Ends it with what was used: gives back the rest, or charges what is more,
    /// which may leave a debt.
    pub fn settle(mut self, used_tokens: u64, now: Now) {
        let rest = self.reserved.saturating_sub(used_tokens);
        let more = used_tokens.saturating_sub(self.reserved);
        let mut table = self.limiter.table();
        for charge in self
            .charges
            .iter_mut()
            .filter(|charge| charge.is_of_tokens())
        {
            let Some(bucket) = table.get(&charge.claim) else {
                continue;
            };
            if more > 0 {
                charge.add(more, bucket.charge(more, &now));
            } else {
                let rest = rest.min(charge.amount);
                bucket.give_back(rest, charge.window, &now);
                charge.amount -= rest;
            }
        }
    }

    /// Ends it as if it had never been: the request cost nothing at all.
    pub fn cancel(mut self, now: Now) {
        let mut table = self.limiter.table();
        for charge in &mut self.charges {
            if let Some(bucket) = table.get(&charge.claim) {
                bucket.give_back(charge.amount, charge.window, &now);
                charge.amount = 0;
            }
        }
    }
}

/// What is held at one time comes back, whichever way it ends.
impl Drop for Reservation {
    fn drop(&mut self) {
        if self.charges.is_empty() {
            return;
        }
        let mut table = self.limiter.table();
        for charge in &self.charges {
            if let Some(bucket) = table.get(&charge.claim) {
                bucket.release(charge.amount);
            }
        }
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let charges = self.charges.iter().map(|charge| &charge.claim.budget.name);
        out.debug_struct("Reservation")
            .field("reserved", &self.reserved)
            .field("budgets", &charges.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
