//! Lets exchanges in: all of what one needs is reserved, or nothing.

use std::sync::Arc;

use super::asked::{Asked, standings};
use super::budget::{Budget, Unit};
use super::denial::{Cause, Denial};
use super::key::Claim;
use super::limiter::Limiter;
use super::now::Now;
use super::reservation::{Charge, Reservation};
use super::table::Table;

/// What an exchange may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Tokens of its prompt and its answer.
    pub tokens: u64,
}

impl Cost {
    /// What a budget is charged.
    fn of(self, budget: &Budget) -> u64 {
        match budget.unit {
            Unit::Tokens => self.tokens,
            Unit::Requests | Unit::Exchanges => 1,
        }
    }
}

impl Limiter {
    /// Reserves as `reserve` does, and waits for whoever keeps the whole of a
    /// bucket that others share, where there is too little of it here.
    pub async fn reserve_in_time(
        self: &Arc<Self>,
        claims: &[Claim],
        cost: Cost,
    ) -> Result<Reservation, Denial> {
        let mut until = None;
        loop {
            let denial = match self.reserve(claims, cost, Now::read()) {
                Ok(reservation) => return Ok(reservation),
                Err(denial) => denial,
            };
            let Cause::NotAsked(round) = denial.cause else {
                return Err(denial);
            };
            let until = *until.get_or_insert_with(|| self.rounds.patience());
            if !self.rounds.end_of(round, until).await {
                return Err(denial.unanswered());
            }
        }
    }

    /// Reserves what an exchange may cost in all buckets, or in none. A bucket
    /// that is named twice counts once.
    pub fn reserve(
        self: &Arc<Self>,
        claims: &[Claim],
        cost: Cost,
        now: Now,
    ) -> Result<Reservation, Denial> {
        let mut table = self.table();
        table.make_room(claims.len(), &now);
        let mut asked = Asked::default();
        for claim in distinct(claims) {
            let bucket = table.open(claim, &*self.prior, &now);
            asked.ask(bucket, claim, cost.of(&claim.budget), &now);
        }
        asked.answered(distinct(claims), &mut table, &now)?;
        let charges = charge_all(&mut table, claims, cost, &now);
        let standings = standings(distinct(claims), &mut table, &now);
        drop(table);
        let limiter = Arc::clone(self);
        let shadowed = asked.shadowed;
        Ok(Reservation::new(
            limiter,
            charges,
            cost.tokens,
            shadowed,
            standings,
        ))
    }
}

fn distinct(claims: &[Claim]) -> impl Iterator<Item = &Claim> {
    let is_first = |(place, claim): &(usize, &Claim)| !claims[..*place].contains(claim);
    claims
        .iter()
        .enumerate()
        .filter(is_first)
        .map(|(_, claim)| claim)
}

fn charge_all(table: &mut Table, claims: &[Claim], cost: Cost, now: &Now) -> Vec<Charge> {
    let mut charges = Vec::with_capacity(claims.len());
    for claim in distinct(claims) {
        let Some(bucket) = table.get(claim) else {
            continue;
        };
        bucket.hold();
        let amount = cost.of(&claim.budget);
        let window = bucket.charge(amount, now);
        charges.push(Charge::new(claim.clone(), amount, window));
    }
    charges
}
