//! A bucket that empties by use and fills evenly: the generic cell rate
//! algorithm, in tokens (ITU-T I.371, annex A; redis-cell does the same with one
//! theoretical arrival time).
//!
//! It is kept in the other of the two forms that I.371 gives, the leaky bucket:
//! what is owed, and since when. A theoretical arrival time of whole
//! nanoseconds would round by 17 tokens at 10^12 per minute. What is owed in
//! tokens times nanoseconds of the period rounds nothing: one nanosecond pays
//! back `amount` of these units, whatever the rate. And a new rate leaves the
//! tokens that are owed as they are.

use std::time::{Duration, Instant};

use super::budget::{Budget, Period};
use super::level::{Fit, Level};
use super::now::Now;

/// What was used of a rolling period and has not come back.
#[derive(Debug)]
pub(super) struct Gcra {
    rate: Rate,
    /// In units of the rate.
    owed: u128,
    /// When that was so.
    at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    /// Units that a nanosecond pays back: tokens per period.
    amount: u128,
    /// Units of a token: nanoseconds of the period.
    period: u128,
}

impl Rate {
    fn of(budget: &Budget) -> Self {
        let span = match budget.period {
            Period::Rolling(span) => span,
            _ => Duration::ZERO,
        };
        // Both below 2^64, so that a product of them fits.
        Self {
            amount: u128::from(budget.amount.max(1)),
            period: span.as_nanos().clamp(1, u64::MAX.into()),
        }
    }

    fn units(self, tokens: u64) -> u128 {
        u128::from(tokens) * self.period
    }

    /// How long it takes to pay back so many units.
    fn time(self, units: u128) -> Duration {
        let nanos = units.div_ceil(self.amount);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Units of this rate as units of another: the tokens stay the same.
    fn convert(self, units: u128, to: Self) -> u128 {
        let (tokens, part) = (units / self.period, units % self.period);
        let part = (part * to.period).div_ceil(self.period);
        tokens.saturating_mul(to.period).saturating_add(part)
    }
}

impl Gcra {
    pub(super) fn new(budget: &Budget, now: &Now) -> Self {
        Self {
            rate: Rate::of(budget),
            owed: 0,
            at: now.instant,
        }
    }

    fn room(&self, budget: &Budget) -> u128 {
        let full = self.rate.units(budget.capacity());
        full.saturating_sub(self.owed)
    }
}

impl Level for Gcra {
    fn declare(&mut self, budget: &Budget) {
        let rate = Rate::of(budget);
        if rate.period != self.rate.period {
            self.owed = self.rate.convert(self.owed, rate);
        }
        self.rate = rate;
    }

    fn pass(&mut self, now: &Now) {
        let passed = now.instant.saturating_duration_since(self.at).as_nanos();
        let paid = passed.saturating_mul(self.rate.amount);
        self.owed = self.owed.saturating_sub(paid);
        self.at = self.at.max(now.instant);
    }

    /// A need beyond the burst takes a full bucket, and leaves it in debt.
    fn fit(&self, need: u64, budget: &Budget, _: &Now) -> Fit {
        let left = budget.capacity().saturating_sub(need);
        let short = self.owed.saturating_sub(self.rate.units(left));
        match short {
            0 => Fit::Now,
            short => Fit::After(self.rate.time(short)),
        }
    }

    fn charge(&mut self, amount: u64) -> i64 {
        self.owed = self.owed.saturating_add(self.rate.units(amount));
        0
    }

    fn give_back(&mut self, amount: u64, _: i64) {
        self.owed = self.owed.saturating_sub(self.rate.units(amount));
    }

    fn remaining(&self, budget: &Budget) -> u64 {
        let tokens = self.room(budget) / self.rate.period;
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }

    fn reset(&self, _: &Now) -> Duration {
        self.rate.time(self.owed)
    }

    fn is_unused(&self) -> bool {
        self.owed == 0
    }

    fn is_in_debt(&self, budget: &Budget) -> bool {
        self.owed > self.rate.units(budget.capacity())
    }

    fn used(&self) -> u64 {
        let tokens = self.owed.div_ceil(self.rate.period);
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }

    fn set(&mut self, used: u64) {
        self.owed = self.rate.units(used);
    }
}
