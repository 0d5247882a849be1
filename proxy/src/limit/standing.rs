//! How buckets stand, for clients to pace themselves.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use super::budget::{Budget, Unit};

/// How a bucket stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its budget.
    pub budget: Arc<Budget>,
    /// The budget's amount.
    pub limit: u64,
    /// What can be had now. Of a rolling period that is the burst at most.
    pub remaining: u64,
    /// When all of it is back, if nothing else is used.
    pub reset: Duration,
}

impl Standing {
    /// By the share that is left.
    fn compare(&self, other: &Self) -> Ordering {
        let share = |of: &Self, by: &Self| {
            u128::from(of.remaining) * u128::from(by.budget.capacity().max(1))
        };
        share(self, other).cmp(&share(other, self))
    }
}

/// The standing of a unit with the smallest share left.
pub fn tightest(standings: &[Standing], unit: Unit) -> Option<&Standing> {
    let of_unit = standings.iter().filter(|found| found.budget.unit == unit);
    of_unit.min_by(|one, other| one.compare(other))
}

#[cfg(test)]
mod tests {
    use super::super::budget::Period;
    use super::*;

    fn standing(unit: Unit, burst: u64, remaining: u64) -> Standing {
        let budget = Budget {
            name: "b".into(),
            unit,
            amount: 1000,
            period: Period::Rolling(Duration::from_secs(60)),
            burst,
            shadow: false,
        };
        Standing {
            budget: Arc::new(budget),
            limit: 1000,
            remaining,
            reset: Duration::ZERO,
        }
    }

    #[test]
    fn the_tightest_has_the_smallest_share_of_what_it_holds_when_full() {
        let standings = [
            standing(Unit::Tokens, 1000, 500),
            standing(Unit::Tokens, 100, 100),
            standing(Unit::Requests, 1000, 1),
        ];
        assert_eq!(tightest(&standings, Unit::Tokens), Some(&standings[0]));
        assert_eq!(tightest(&standings, Unit::Requests), Some(&standings[2]));
        assert_eq!(tightest(&standings, Unit::Exchanges), None);
    }
}
