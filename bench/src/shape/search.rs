//! The highest rate at which a policy meets the objective, by bisection.

use super::policy::Policy;
use super::results::Results;
use super::row::Row;
use super::scenario::Case;

/// Share of requests that may be refused or fail.
const MOST_FAILURES: f64 = 0.01;
/// So many rates make a search; fewer make a bound.
const SEARCHED: usize = 3;

/// Rates to search between, and how exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    low: f64,
    high: f64,
    step: f64,
}

impl Range {
    /// Of the cases whose highest rate is demanded.
    pub(crate) fn of(case: &Case) -> Option<Self> {
        match case.id {
            "A2" => Some(Self {
                low: 8.0,
                high: 40.0,
                step: 1.0,
            }),
            "A3" => Some(Self {
                low: 7.5,
                high: 24.0,
                step: 0.5,
            }),
            "A8" => Some(Self {
                low: 2.0,
                high: 10.0,
                step: 0.25,
            }),
            _ => None,
        }
    }

    /// The rate to try next, after it is known of some whether they pass.
    pub(crate) fn next(self, known: &[(f64, bool)]) -> Option<f64> {
        let passed = known
            .iter()
            .filter(|(_, passes)| *passes)
            .map(|(rate, _)| *rate);
        let low = passed.fold(self.low, f64::max);
        let failed = known
            .iter()
            .filter(|(rate, passes)| !*passes && *rate > low)
            .map(|(rate, _)| *rate);
        let high = failed.fold(self.high, f64::min);
        let middle = ((low + high) / 2.0 / self.step).round() * self.step;
        let new = known.iter().all(|(rate, _)| (rate - middle).abs() > 1e-9);
        (high - low > self.step && new).then_some(middle)
    }
}

/// Whether a run meets its objective.
fn passes(row: &Row, case: &Case) -> bool {
    row.p99_s.is_some_and(|p99| p99 <= case.objective.seconds) && row.failures() < MOST_FAILURES
}

/// The rates that were tried, and whether most seeds pass.
pub(crate) fn known(results: &Results, case: &Case, policy: Policy) -> Vec<(f64, bool)> {
    let tried = results.rates(case.id, policy).into_iter().map(|rate| {
        let rows = results.of(case.id, policy, rate);
        let passed = rows.iter().filter(|row| passes(row, case)).count();
        (rate, passed * 2 > rows.len())
    });
    tried.collect()
}

/// The highest rate that each seed passed, 0 where it passed none, with the run that tells it.
/// `searched` leaves out policies that were run at a rate or two.
pub(crate) fn max_loads<'a>(
    results: &'a Results,
    case: &Case,
    policy: Policy,
    searched: bool,
) -> Vec<(&'a Row, f64)> {
    let rates = results.rates(case.id, policy);
    if searched && rates.len() < SEARCHED {
        return Vec::new();
    }
    let rows: Vec<&Row> = rates
        .iter()
        .flat_map(|rate| results.of(case.id, policy, *rate))
        .collect();
    let mut seeds: Vec<u64> = rows.iter().map(|row| row.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let best = |seed: u64| {
        // Rising rates: the last that passed is the highest.
        let of_seed = || rows.iter().filter(move |row| row.seed == seed);
        let passed = of_seed().rfind(|row| passes(row, case));
        passed
            .map(|row| (*row, row.rate))
            .or_else(|| of_seed().next().map(|row| (*row, 0.0)))
    };
    seeds.into_iter().filter_map(best).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_ends_at_the_last_rate_that_passes() {
        let range = Range {
            low: 8.0,
            high: 40.0,
            step: 1.0,
        };
        let mut known = vec![(24.0, true)];
        while let Some(rate) = range.next(&known) {
            known.push((rate, rate <= 26.9));
        }
        let best = known
            .iter()
            .filter(|(_, passes)| *passes)
            .map(|(rate, _)| *rate)
            .fold(0.0, f64::max);
        assert_eq!(best, 26.0);
        assert!(known.len() <= 7, "{known:?}");
    }

    #[test]
    fn a_bound_needs_one_rate_and_a_comparison_several() {
        let folder = tempfile::tempdir().unwrap();
        let mut results = Results::open(folder.path()).unwrap();
        let case = Case::named("A2").unwrap()[0];
        let mut run = |rate: f64| {
            let row = Row {
                case: "A2".into(),
                policy: Some(Policy::Shaper),
                rate,
                seed: 1,
                sent: 100,
                p99_s: Some(rate / 18.0),
                ..Row::default()
            };
            results.add(row).unwrap();
        };
        run(24.0);
        run(28.0);
        let found = |searched| -> Vec<f64> {
            let found = max_loads(&results, case, Policy::Shaper, searched);
            found.into_iter().map(|(_, rate)| rate).collect()
        };
        assert_eq!(found(false), [24.0]);
        assert!(found(true).is_empty());
    }
}
