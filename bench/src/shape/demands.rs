//! What is demanded of the shaper, and whether a run meets it. Ratios are taken
//! between runs of the same seed; the median of the seeds counts.

mod table;

use super::policy::Policy;
use super::results::Results;
use super::row::{Row, Time};
use super::scenario::Case;
use super::search;
use crate::spread::Spread;

/// Something demanded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    /// What, to people: `P99 of the answers, s`.
    pub(crate) name: &'static str,
    /// In which case.
    case: &'static str,
    /// Under which policy.
    policy: Policy,
    /// What it is compared with.
    against: Option<Against>,
    /// What is looked at.
    figure: Figure,
    /// What it must not pass.
    pub(crate) bound: Bound,
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
enum Figure {
    /// Read off one run at the rate of the case, if the run has it.
    Of(fn(&Row) -> Option<f64>),
    /// The highest of the rates tried at which the objective was met.
    MaxLoad,
}

/// The policy whose figure a figure is compared with, and how.
#[derive(Debug, Clone, Copy)]
enum Against {
    /// As a multiple of it.
    Ratio(Policy),
    /// By what is more than it.
    Difference(Policy),
}

/// The figure of one seed.
struct Value {
    seed: u64,
    scale: f64,
    value: f64,
    requests: u64,
    void: bool,
}

/// A bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    /// Not more.
    AtMost(f64),
    /// Not less.
    AtLeast(f64),
}

/// A demand and what was measured.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// What was demanded.
    pub(crate) demand: &'static Demand,
    /// In simulated time.
    pub(crate) simulated: Measured,
    /// On sockets.
    pub(crate) real: Measured,
}

/// What came out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    /// The figure; `None` if it was not measured.
    pub(crate) figure: Option<Spread>,
    /// Requests that it is made of, of all seeds.
    pub(crate) requests: u64,
    /// Runs among them that do not count.
    pub(crate) void: usize,
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }

    /// As it is written.
    pub(crate) fn text(self) -> String {
        match self {
            Self::AtMost(most) => format!("<= {most}"),
            Self::AtLeast(least) => format!(">= {least}"),
        }
    }
}

impl Demand {
    /// The scenario that it is of.
    pub(crate) fn scenario(&self) -> &'static str {
        self.case
            .split_once('-')
            .map_or(self.case, |(scenario, _)| scenario)
    }

    /// Of whom.
    pub(crate) fn subject(&self) -> String {
        match self.against {
            Some(Against::Ratio(other)) => format!("{} / {other}", self.policy),
            Some(Against::Difference(other)) => format!("{} - {other}", self.policy),
            None => self.policy.to_string(),
        }
    }

    /// The case, without its scenario.
    pub(crate) fn variant(&self) -> &'static str {
        self.case.split_once('-').map_or("", |(_, variant)| variant)
    }

    fn measure(&self, results: &Results) -> Measured {
        let own = self.values(self.policy, results);
        let other = self
            .against
            .map(|against| self.values(against.policy(), results));
        let compared = |own: &Value| {
            let (Some(other), Some(against)) = (&other, self.against) else {
                return Some(own.value);
            };
            let paired = |other: &&Value| other.seed == own.seed && other.scale == own.scale;
            Some(against.compare(own.value, other.iter().find(paired)?.value))
        };
        let used: Vec<_> = own
            .iter()
            .filter_map(|own| Some((own, compared(own)?)))
            .collect();
        Measured {
            figure: Spread::over(used.iter().map(|(_, value)| *value)),
            requests: used.iter().map(|(own, _)| own.requests).sum(),
            void: used.iter().filter(|(own, _)| own.void).count(),
        }
    }

    /// The figure of a policy, of each seed.
    fn values(&self, policy: Policy, results: &Results) -> Vec<Value> {
        let Some(case) = Case::all().find(|case| case.id == self.case) else {
            return Vec::new();
        };
        match self.figure {
            Figure::Of(figure) => results
                .of(case.id, policy, case.rate)
                .into_iter()
                .filter_map(|row| Some(Value::new(row, figure(row)?)))
                .collect(),
            // A rate or two tell a bound of the highest, which is enough by itself only.
            Figure::MaxLoad => search::max_loads(results, case, policy, self.against.is_some())
                .into_iter()
                .map(|(row, rate)| Value::new(row, rate))
                .collect(),
        }
    }
}

impl Against {
    fn policy(self) -> Policy {
        match self {
            Self::Ratio(policy) | Self::Difference(policy) => policy,
        }
    }

    fn compare(self, own: f64, other: f64) -> f64 {
        match self {
            // Nothing in time there: as many times better as one likes.
            Self::Ratio(_) => own / other.max(1e-3),
            Self::Difference(_) => own - other,
        }
    }
}

impl Value {
    fn new(row: &Row, value: f64) -> Self {
        Self {
            seed: row.seed,
            scale: row.scale,
            value,
            requests: row.window_sent.unwrap_or(row.sent),
            void: !row.void.is_empty(),
        }
    }
}

impl Verdict {
    /// Whether it is met, however it was measured; what was not measured is not.
    pub(crate) fn met(&self) -> bool {
        let figures = [self.simulated.figure, self.real.figure];
        let mut measured = figures.iter().flatten();
        figures.iter().any(Option::is_some)
            && measured.all(|figure| self.demand.bound.holds(figure.median))
    }

    /// In a word.
    pub(crate) fn word(&self, measured: Measured) -> &'static str {
        match measured.figure {
            None => "not measured",
            Some(figure) if self.demand.bound.holds(figure.median) => "pass",
            Some(_) => "miss",
        }
    }
}

/// Judges every demand.
pub(crate) fn judge(results: &Results) -> Vec<Verdict> {
    let [simulated, real] = [Time::Simulated, Time::Real].map(|time| results.of_time(time));
    table::DEMANDS
        .iter()
        .map(|demand| Verdict {
            demand,
            simulated: demand.measure(&simulated),
            real: demand.measure(&real),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(policy: Policy, seed: u64, p99: f64) -> Row {
        Row {
            case: "A3".into(),
            policy: Some(policy),
            rate: 16.0,
            seed,
            scale: 1.0,
            sent: 1_000,
            p99_s: Some(p99),
            ..Row::default()
        }
    }

    #[test]
    fn every_demand_is_of_a_case_that_runs_its_policies() {
        for demand in table::DEMANDS {
            let case = Case::all()
                .find(|case| case.id == demand.case)
                .expect(demand.case);
            assert!(case.policies.contains(&demand.policy), "{demand:?}");
            let against = demand.against.map(Against::policy);
            assert!(
                against.is_none_or(|it| case.policies.contains(&it)),
                "{demand:?}"
            );
        }
        let demanded = |case: &Case| table::DEMANDS.iter().any(|demand| demand.case == case.id);
        assert!(Case::all().filter(|case| case.has_demands()).all(demanded));
    }

    #[test]
    fn ratios_are_taken_within_a_seed_and_the_median_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut results = Results::open(folder.path()).unwrap();
        for (seed, own, other) in [(1, 1.4, 2.8), (2, 1.5, 2.5), (3, 1.6, 2.0)] {
            results.add(row(Policy::Shaper, seed, own)).unwrap();
            results
                .add(row(Policy::LeastConnections, seed, other))
                .unwrap();
        }
        let verdicts = judge(&results);
        let of = |subject: &str| {
            let found = verdicts.iter().find(|it| {
                it.demand.case == "A3"
                    && it.demand.subject() == subject
                    && it.demand.name == "P99, s"
            });
            found.expect(subject)
        };
        let alone = of("shaper");
        assert_eq!(
            alone.real.figure,
            Some(Spread {
                median: 1.5,
                min: 1.4,
                max: 1.6
            })
        );
        assert_eq!(
            (alone.word(alone.real), alone.real.requests),
            ("pass", 3_000)
        );
        assert_eq!(alone.word(alone.simulated), "not measured");
        let ratio = of("shaper / least-connections");
        assert_eq!(
            ratio.real.figure,
            Some(Spread {
                median: 0.6,
                min: 0.5,
                max: 0.8
            })
        );
        assert_eq!(ratio.word(ratio.real), "pass");
        let missing = of("shaper / round-robin");
        assert_eq!(missing.word(missing.real), "not measured");
        assert!(alone.met() && !missing.met());
    }
}
