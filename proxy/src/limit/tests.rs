//! What the parts do together.

mod conserve;
mod model;
mod race;
mod rolling;
mod shaping;
mod shared;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::table::MOST;
use super::*;
use crate::day::Day;

/// A minute before February.
const START: u64 = 1_769_903_940;

const MINUTE: Period = Period::Rolling(Duration::from_secs(60));

/// A clock that is set by hand.
struct Clock {
    start: Instant,
    passed: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            passed: Duration::ZERO,
        }
    }
}

impl Clock {
    fn now(&self) -> Now {
        let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(START) + self.passed;
        Now::at(self.start + self.passed, clock)
    }

    fn pass(&mut self, seconds: u64) {
        self.passed += Duration::from_secs(seconds);
    }
}

fn budget(name: &str, unit: Unit, amount: u64, period: Period) -> Budget {
    Budget {
        name: name.into(),
        unit,
        amount,
        period,
        burst: amount,
        shadow: false,
    }
}

/// A claim on the bucket of a tenant.
fn claim_of(budget: Budget, tenant: &str) -> Claim {
    Claim {
        budget: Arc::new(budget),
        key: Key::new([(Attribute::Tenant, tenant.into())]),
    }
}

fn claim(unit: Unit, amount: u64, period: Period) -> Claim {
    claim_of(budget("b", unit, amount, period), "t")
}

fn limiter() -> Arc<Limiter> {
    Arc::new(Limiter::new(|_, _, _| 0))
}

fn tokens(tokens: u64) -> Cost {
    Cost { tokens }
}

#[test]
fn a_refusal_says_which_budget_and_when_to_come_again() {
    let (limiter, clock) = (limiter(), Clock::default());
    let claims = [claim(Unit::Tokens, 60_000, MINUTE)];
    let first = limiter.reserve(&claims, tokens(59_000), clock.now());
    first.unwrap().settle(59_000, clock.now());
    let denial = limiter.reserve(&claims, tokens(3000), clock.now());
    let denial = denial.unwrap_err();
    let expected = "at most 60000 tokens per minute (budget `b`)";
    assert_eq!(denial.to_string(), expected);
    assert_eq!(denial.retry_after, Some(Duration::from_secs(2)));
    assert_eq!((denial.available, denial.needed), (1000, 3000));
    let standing = tightest(denial.standings(), Unit::Tokens).unwrap();
    assert_eq!((standing.limit, standing.remaining), (60_000, 1000));
    assert_eq!(standing.reset, Duration::from_secs(59));
}

#[test]
fn what_is_more_than_the_budget_never_fits() {
    let (limiter, clock) = (limiter(), Clock::default());
    for period in [MINUTE, Period::Day, Period::Month, Period::AtOnce] {
        let claims = [claim(Unit::Tokens, 100, period)];
        let denial = limiter.reserve(&claims, tokens(101), clock.now());
        assert_eq!(denial.unwrap_err().retry_after, None);
        limiter.reserve(&claims, tokens(100), clock.now()).unwrap();
    }
}

#[test]
fn more_than_the_burst_takes_a_full_bucket_and_leaves_a_debt() {
    let (limiter, mut clock) = (limiter(), Clock::default());
    let mut budget = budget("b", Unit::Tokens, 60, MINUTE);
    budget.burst = 10;
    let claims = [claim_of(budget, "t")];
    drop(limiter.reserve(&claims, tokens(50), clock.now()).unwrap());
    let denial = limiter.reserve(&claims, tokens(1), clock.now());
    assert_eq!(
        denial.unwrap_err().retry_after,
        Some(Duration::from_secs(41))
    );
    clock.pass(49);
    let denial = limiter.reserve(&claims, tokens(50), clock.now());
    assert_eq!(
        denial.unwrap_err().retry_after,
        Some(Duration::from_secs(1))
    );
    clock.pass(1);
    limiter.reserve(&claims, tokens(50), clock.now()).unwrap();
}

#[test]
fn a_day_or_a_month_is_full_again_when_the_next_begins() {
    let (limiter, mut clock) = (limiter(), Clock::default());
    let day = claim(Unit::Tokens, 100, Period::Day);
    let month = claim(Unit::Tokens, 150, Period::Month);
    for claim in [&day, &month] {
        let claims = std::slice::from_ref(claim);
        drop(limiter.reserve(claims, tokens(100), clock.now()).unwrap());
        let denial = limiter
            .reserve(claims, tokens(60), clock.now())
            .unwrap_err();
        assert_eq!(denial.retry_after, Some(Duration::from_secs(60)));
    }
    clock.pass(60);
    let both = [day, month];
    drop(limiter.reserve(&both, tokens(60), clock.now()).unwrap());
    clock.pass(86_400);
    let standings = limiter.reserve(&both, tokens(60), clock.now()).unwrap();
    let remaining = standings.standings().iter().map(|found| found.remaining);
    assert_eq!(remaining.collect::<Vec<_>>(), [40, 30]);
}

#[test]
fn what_was_charged_yesterday_is_not_given_back_today() {
    let (limiter, mut clock) = (limiter(), Clock::default());
    let claims = [claim(Unit::Tokens, 100, Period::Day)];
    let mut old = limiter.reserve(&claims, tokens(80), clock.now()).unwrap();
    clock.pass(60);
    old.extend(30, clock.now()).unwrap();
    old.settle(10, clock.now());
    let new = limiter.reserve(&claims, tokens(0), clock.now()).unwrap();
    assert_eq!(new.standings()[0].remaining, 100);
}

#[test]
fn a_clock_that_is_set_right_does_not_lock_out() {
    let (limiter, mut clock) = (limiter(), Clock::default());
    let claims = [claim(Unit::Tokens, 100, Period::Day)];
    let right = clock.now();
    clock.pass(86_400 * 3650);
    drop(limiter.reserve(&claims, tokens(100), clock.now()).unwrap());
    let mut late = clock.now();
    late.day = Day::of(SystemTime::UNIX_EPOCH + Duration::from_secs(START + 86_400 * 3649));
    limiter.reserve(&claims, tokens(1), late).unwrap_err();
    limiter.reserve(&claims, tokens(100), right).unwrap();
}

#[test]
fn a_reload_changes_the_numbers_and_not_what_was_used() {
    let (limiter, clock) = (limiter(), Clock::default());
    let check = |old: Claim, new: Claim, remaining| {
        drop(limiter.reserve(&[old], tokens(80), clock.now()).unwrap());
        let after = limiter.reserve(&[new], tokens(20), clock.now()).unwrap();
        assert_eq!(after.standings()[0].remaining, remaining);
    };
    let hour = Period::Rolling(Duration::from_secs(3600));
    let of = |amount, period| claim(Unit::Tokens, amount, period);
    check(of(100, MINUTE), of(7000, hour), 6900);
    check(of(100, Period::Day), of(150, Period::Day), 50);
    check(of(100, Period::Month), of(150, Period::Month), 50);
}

#[test]
fn time_does_not_pass_twice_for_those_who_come_late() {
    let (limiter, mut clock) = (limiter(), Clock::default());
    let claims = [claim(Unit::Tokens, 60, MINUTE)];
    let early = clock.now();
    drop(limiter.reserve(&claims, tokens(60), early).unwrap());
    clock.pass(10);
    drop(limiter.reserve(&claims, tokens(10), clock.now()).unwrap());
    limiter.reserve(&claims, tokens(1), early).unwrap_err();
    limiter
        .reserve(&claims, tokens(1), clock.now())
        .unwrap_err();
}

#[test]
fn what_a_ledger_knows_is_used() {
    let limiter = Arc::new(Limiter::new(|budget: &Budget, key: &Key, day: Day| {
        assert_eq!(
            key.get(Attribute::Tenant).map(|tenant| &**tenant),
            Some("t")
        );
        assert_eq!(day.to_string(), "2026-01-31");
        budget.amount - 10
    }));
    let claims = [claim(Unit::Tokens, 100, Period::Day)];
    let now = Clock::default().now();
    limiter.reserve(&claims, tokens(11), now).unwrap_err();
    limiter.reserve(&claims, tokens(10), now).unwrap();
}

#[test]
fn a_bucket_that_is_named_twice_counts_once() {
    let (limiter, clock) = (limiter(), Clock::default());
    let one = claim(Unit::Tokens, 100, Period::Day);
    let twice = limiter.reserve(&[one.clone(), one], tokens(80), clock.now());
    let twice = twice.unwrap();
    let remaining = twice.standings().iter().map(|found| found.remaining);
    assert_eq!(remaining.collect::<Vec<_>>(), [20]);
}

#[test]
fn a_shadow_counts_and_does_not_refuse() {
    let (limiter, clock) = (limiter(), Clock::default());
    let mut budget = budget("b", Unit::Tokens, 100, MINUTE);
    budget.shadow = true;
    let claims = [claim_of(budget, "t")];
    let first = limiter.reserve(&claims, tokens(100), clock.now()).unwrap();
    assert!(first.shadowed().is_empty() && first.standings().is_empty());
    let mut second = limiter.reserve(&claims, tokens(1), clock.now()).unwrap();
    second.extend(64, clock.now()).unwrap();
    assert_eq!(second.shadowed().len(), 1);
}

#[test]
fn unused_buckets_go_and_those_with_something_in_them_stay() {
    let (limiter, mut clock) = (limiter(), Clock::default());
    let exchange = |tenant: &str| {
        let held = budget("held", Unit::Exchanges, 1, Period::AtOnce);
        let used = budget("used", Unit::Requests, 1, MINUTE);
        [claim_of(held, tenant), claim_of(used, tenant)]
    };
    let running = limiter.reserve(&exchange("first"), tokens(1), clock.now());
    // Its bucket will be as good as new before it has ended.
    let long = [claim_of(budget("long", Unit::Tokens, 10, MINUTE), "t")];
    let late = limiter.reserve(&long, tokens(1), clock.now()).unwrap();
    clock.pass(60);
    let mut in_debt = budget("debt", Unit::Tokens, 10, Period::Day);
    in_debt.burst = 1;
    let in_debt = [claim_of(in_debt, "t")];
    let debt = limiter.reserve(&in_debt, tokens(1), clock.now()).unwrap();
    debt.settle(1000, clock.now());
    for tenant in 0..2 * MOST {
        let claims = exchange(&tenant.to_string());
        drop(limiter.reserve(&claims, tokens(1), clock.now()).unwrap());
        if tenant % 1000 == 0 {
            assert!(limiter.table().len() <= MOST);
        }
    }
    limiter
        .reserve(&exchange("first"), tokens(1), clock.now())
        .unwrap_err();
    limiter
        .reserve(&in_debt, tokens(1), clock.now())
        .unwrap_err();
    drop(running);
    late.settle(1000, clock.now());
    limiter.reserve(&long, tokens(1), clock.now()).unwrap_err();
    clock.pass(86_400);
    limiter.table().make_room(MOST, &clock.now());
    assert_eq!(limiter.table().len(), 0);
}
