//! While no time passes, what is charged is what was used.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum End {
    Settle(u64),
    Cancel,
    Drop,
}

/// What an exchange reserves at first, by how much it extends that, and how it
/// ends.
#[derive(Debug, Clone)]
struct Life {
    first: u64,
    more: Vec<u64>,
    end: End,
}

fn life() -> impl Strategy<Value = Life> {
    let end = prop_oneof![
        (0..5000_u64).prop_map(End::Settle),
        Just(End::Cancel),
        Just(End::Drop),
    ];
    let more = prop::collection::vec(0..200_u64, 0..5);
    (0..3000_u64, more, end).prop_map(|(first, more, end)| Life { first, more, end })
}

const AMOUNT: u64 = 1 << 40;

fn claims() -> [Claim; 5] {
    let of = |name, unit, period| claim_of(budget(name, unit, AMOUNT, period), "t");
    [
        of("minute", Unit::Tokens, MINUTE),
        of("day", Unit::Tokens, Period::Day),
        of("month", Unit::Requests, Period::Month),
        of("exchanges", Unit::Exchanges, Period::AtOnce),
        of("tokens", Unit::Tokens, Period::AtOnce),
    ]
}

proptest! {
    #[test]
    fn what_is_charged_is_what_was_used(lives in prop::collection::vec(life(), 1..30)) {
        let (limiter, now) = (limiter(), Clock::default().now());
        let claims = claims();
        // All begin before any ends, and end in another order.
        let mut running = Vec::new();
        for life in &lives {
            let mut reserved = limiter.reserve(&claims, tokens(life.first), now).unwrap();
            for more in &life.more {
                reserved.extend(*more, now).unwrap();
            }
            running.push((reserved, life.end));
        }
        running.sort_by_key(|(reserved, _)| reserved.reserved() % 7);
        let (mut used, mut requests) = (0, 0);
        for (reserved, end) in running {
            let all = reserved.reserved();
            match end {
                End::Settle(tokens) => reserved.settle(tokens, now),
                End::Cancel => reserved.cancel(now),
                End::Drop => drop(reserved),
            }
            (used, requests) = match end {
                End::Settle(tokens) => (used + tokens, requests + 1),
                End::Cancel => (used, requests),
                End::Drop => (used + all, requests + 1),
            };
        }
        let last = limiter.reserve(&claims, tokens(0), now).unwrap();
        let left = last.standings().iter().map(|found| AMOUNT - found.remaining);
        prop_assert_eq!(left.collect::<Vec<_>>(), [used, used, requests + 1, 1, 0]);
    }
}
