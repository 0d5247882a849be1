//! Days and months end while the gateway runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use super::*;

const DAY: u64 = 24 * 60 * 60;

/// 2026-01-30, a second before midnight.
const START: u64 = 1_769_817_599;

/// A clock that stands until it is moved.
#[derive(Clone)]
struct Hands(Arc<AtomicU64>);

impl Hands {
    fn at(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds)))
    }

    fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        Box::new(move || UNIX_EPOCH + Duration::from_secs(hands.0.load(Ordering::Relaxed)))
    }
}

fn check(ledger: &Ledger, day: u64, month: u64) {
    assert_eq!(used(ledger, Quantity::Requests, Period::Day), day, "day");
    assert_eq!(
        used(ledger, Quantity::Requests, Period::Month),
        month,
        "month"
    );
}

#[test]
fn a_day_and_a_month_end_at_midnight_without_a_restart() {
    let (_folder, path) = place();
    let hands = Hands::at(START);
    let ledger = Ledger::open_with(&path, hands.clock()).unwrap();
    ledger.record(entry("acme/ci"));
    check(&ledger, 1, 1);
    hands.set(START + 1);
    check(&ledger, 0, 1);
    ledger.record(entry("acme/ci"));
    ledger.record(entry("acme/ci"));
    check(&ledger, 2, 3);
    hands.set(START + 1 + DAY);
    check(&ledger, 0, 0);
    ledger.record(entry("acme/ci"));
    check(&ledger, 1, 1);
    drop(ledger);
    let days: Vec<_> = read(&path)
        .iter()
        .map(|row| (row.day.to_string(), row.sums.requests))
        .collect();
    let expected = [("2026-01-30", 1), ("2026-01-31", 2), ("2026-02-01", 1)];
    assert_eq!(days, expected.map(|(day, sum)| (day.to_owned(), sum)));
}

#[test]
fn a_restart_loads_the_current_day_and_month_only() {
    let (_folder, path) = place();
    let hands = Hands::at(START);
    for seconds in [START, START + 1, START + 1 + DAY] {
        hands.set(seconds);
        Ledger::open_with(&path, hands.clock())
            .unwrap()
            .record(entry("acme/ci"));
    }
    for (seconds, day, month) in [
        (START, 1, 2),
        (START + DAY, 1, 2),
        (START + 2 * DAY, 1, 1),
        (START + 3 * DAY, 0, 1),
        (START + 40 * DAY, 0, 0),
    ] {
        hands.set(seconds);
        let ledger = Ledger::open_with(&path, hands.clock()).unwrap();
        check(&ledger, day, month);
    }
}

#[test]
fn a_clock_that_is_put_back_finds_what_was_used_before() {
    let (_folder, path) = place();
    let hands = Hands::at(START);
    let ledger = Ledger::open_with(&path, hands.clock()).unwrap();
    ledger.record(entry("acme/ci"));
    hands.set(START + 2 * DAY);
    ledger.record(entry("acme/ci"));
    check(&ledger, 1, 1);
    hands.set(START);
    ledger.record(entry("acme/ci"));
    wait_until("the first day again", || {
        used(&ledger, Quantity::Requests, Period::Day) == 2
    });
    check(&ledger, 2, 2);
}

#[test]
fn usage_that_waits_for_a_disk_keeps_its_day() {
    let (_folder, path) = place();
    let hands = Hands::at(START);
    let ledger = Ledger::open_with(&path, hands.clock()).unwrap();
    let store = ledger.keeper.store.lock();
    for day in 0..3 {
        hands.set(START + day * DAY);
        ledger.record(entry("acme/ci"));
    }
    check(&ledger, 1, 1);
    drop(store);
    ledger.flush().unwrap();
    assert_eq!(read(&path).len(), 3);
    ledger.keeper.catch_up().unwrap();
    check(&ledger, 1, 1);
}
