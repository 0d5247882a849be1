//! A rolling period, over long random sequences.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

/// The other form of the algorithm: a theoretical arrival time, in nanoseconds
/// times the amount, so that it is exact.
pub(super) struct Naive {
    arrival: i128,
    amount: i128,
    period: i128,
    burst: i128,
}

impl Naive {
    pub(super) fn new(budget: &Budget) -> Self {
        let Period::Rolling(span) = budget.period else {
            panic!("it is for rolling periods");
        };
        Self {
            arrival: 0,
            amount: budget.amount.into(),
            period: span.as_nanos().cast_signed(),
            burst: budget.burst.into(),
        }
    }

    fn ahead(&self, at: Duration) -> i128 {
        (self.arrival - at.as_nanos().cast_signed() * self.amount).max(0)
    }

    pub(super) fn fits(&self, need: u64, at: Duration) -> bool {
        let need = i128::from(need);
        let left = self.burst - need.min(self.burst);
        need <= self.amount.max(self.burst) && self.ahead(at) <= left * self.period
    }

    pub(super) fn charge(&mut self, tokens: i128, at: Duration) {
        let now = at.as_nanos().cast_signed() * self.amount;
        self.arrival = now + (self.ahead(at) + tokens * self.period).max(0);
    }

    pub(super) fn remaining(&self, at: Duration) -> u64 {
        let left = self.burst * self.period - self.ahead(at);
        u64::try_from(left.max(0) / self.period).unwrap()
    }
}

/// So many needs of up to a share of the burst, at twice the rate that is
/// allowed.
fn check(amount: u64, burst: u64, seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let budget = Budget {
        burst,
        ..budget("b", Unit::Tokens, amount, MINUTE)
    };
    let mut naive = Naive::new(&budget);
    let claims = [claim_of(budget, "t")];
    let (limiter, mut clock) = (limiter(), Clock::default());
    let mut admitted = Vec::new();
    for _ in 0..50_000 {
        let need = random.random_range(1..=burst);
        let gap = u128::from(burst) * 30_000_000_000 / u128::from(amount);
        clock.passed += Duration::from_nanos(random.random_range(0..=gap as u64 / 2));
        let reserved = limiter.reserve(&claims, tokens(need), clock.now());
        assert_eq!(reserved.is_ok(), naive.fits(need, clock.passed));
        match reserved {
            Ok(reserved) => {
                naive.charge(need.into(), clock.passed);
                let remaining = naive.remaining(clock.passed);
                assert_eq!(reserved.standings()[0].remaining, remaining);
                admitted.push((clock.passed, need));
            }
            Err(denial) => {
                let at = clock.passed + denial.retry_after.unwrap();
                assert!(naive.fits(need, at));
                assert!(!naive.fits(need, at - Duration::from_nanos(1)));
            }
        }
    }
    assert!(worst_minute(&admitted) <= u128::from(amount) + u128::from(burst));
}

fn worst_minute(admitted: &[(Duration, u64)]) -> u128 {
    let (mut first, mut sum, mut worst) = (0, 0, 0);
    for (at, need) in admitted {
        sum += u128::from(*need);
        while admitted[first].0 + Duration::from_secs(60) < *at {
            sum -= u128::from(admitted[first].1);
            first += 1;
        }
        worst = worst.max(sum);
    }
    worst
}

#[test]
fn it_is_exact_to_the_token_from_one_to_a_million_millions_per_minute() {
    check(1, 1, 1);
    check(7, 3, 2);
    check(60_000, 5000, 3);
    check(999_999_937, 1_000_003, 4);
    check(1_000_000_000_000, 100_000_000_000, 5);
    check(999_999_999_989, 999_999_999_989, 6);
}

#[test]
fn numbers_without_sense_do_no_harm() {
    let (limiter, mut clock) = (limiter(), Clock::default());
    for amount in [0, 1, u64::MAX] {
        for burst in [0, 1, u64::MAX] {
            for seconds in [0, 1, u64::MAX] {
                let period = Period::Rolling(Duration::from_secs(seconds));
                let budget = budget("b", Unit::Tokens, amount, period);
                let claims = [claim_of(Budget { burst, ..budget }, "t")];
                for need in [0, 1, u64::MAX] {
                    let reserved = limiter.reserve(&claims, tokens(need), clock.now());
                    assert!(amount > 0 || need == 0 || reserved.is_err());
                    if let Ok(mut reserved) = reserved {
                        let _ = reserved.extend(u64::MAX, clock.now());
                        reserved.settle(u64::MAX, clock.now());
                    }
                    clock.pass(1_000_000);
                }
            }
        }
    }
}
