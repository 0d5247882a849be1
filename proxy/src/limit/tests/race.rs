//! Many at once.

use std::thread;

use super::*;

#[test]
fn of_a_thousand_that_race_as_many_get_in_as_fit() {
    let (limiter, now) = (limiter(), Clock::default().now());
    let claims = [
        claim(Unit::Tokens, 100_000, MINUTE),
        claim_of(budget("other", Unit::Requests, 900, Period::Day), "t"),
        claim_of(budget("held", Unit::Exchanges, 800, Period::AtOnce), "t"),
    ];
    let ask = |_| limiter.reserve(&claims, tokens(150), now).ok();
    let reservations: Vec<Reservation> = thread::scope(|scope| {
        let asking: Vec<_> = (0..1000).map(|id| scope.spawn(move || ask(id))).collect();
        let asked = asking.into_iter().map(|thread| thread.join().unwrap());
        asked.flatten().collect()
    });
    assert_eq!(reservations.len(), 100_000 / 150);
    drop(reservations);
    let denial = limiter.reserve(&claims, tokens(101), now).unwrap_err();
    assert_eq!(denial.available, 100_000 % 150);
    let remaining = denial.standings().iter().map(|found| found.remaining);
    assert_eq!(remaining.collect::<Vec<_>>(), [100, 900 - 666, 800]);
}

#[test]
fn those_that_come_and_go_leave_what_they_used() {
    let (limiter, now) = (limiter(), Clock::default().now());
    let claims = [
        claim(Unit::Tokens, 100_000_000, Period::Day),
        claim_of(budget("held", Unit::Exchanges, 64, Period::AtOnce), "t"),
    ];
    let come_and_go = || {
        for _ in 0..200 {
            let mut one = limiter.reserve(&claims, tokens(100), now).unwrap();
            one.extend(64, now).unwrap();
            one.settle(123, now);
        }
    };
    thread::scope(|scope| (0..64).for_each(|_| drop(scope.spawn(come_and_go))));
    let last = limiter.reserve(&claims, tokens(0), now).unwrap();
    let remaining = last.standings().iter().map(|found| found.remaining);
    let expected = [100_000_000 - 64 * 200 * 123, 63];
    assert_eq!(remaining.collect::<Vec<_>>(), expected);
}
