//! Lets exchanges in: all of what one needs is reserved, or nothing.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::asked::{Asked, standings};
use super::budget::{Budget, Unit};
use super::denial::{Cause, Denial};
use super::keeper::Keeper;
use super::key::{Claim, Key};
use super::now::Now;
use super::reservation::{Charge, Reservation};
use super::rounds::Rounds;
use super::table::{Prior, Table};
use crate::day::Day;

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

/// All buckets. One lock is over all of them: what is done under it is short,
/// and it makes "all or nothing" plain.
pub struct Limiter {
    table: Mutex<Table>,
    prior: Box<Prior>,
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
        let mut table = self.table.lock();
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
            limiter, charges, cost, shadowed, standings,
        ))
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
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
