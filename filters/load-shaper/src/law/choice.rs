//! Which endpoint a request goes to, if any.

use std::cmp::Ordering;

/// What the gateway thinks of an endpoint; better ones compare as less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Health {
    /// It answers.
    #[default]
    Up,
    /// It does not do what it should.
    Suspect,
    /// It does not answer.
    Down,
}

/// An endpoint, and what is predicted of the request there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Candidate {
    /// Names it in a decision.
    pub id: u32,
    /// What the gateway thinks of it.
    pub health: Health,
    /// One request is wanted on it, to see how it does.
    pub wants_probe: bool,
    /// Nothing runs on it, and nothing was heard of it lately.
    pub is_idle_without_news: bool,
    /// It has as many requests as it may have.
    pub is_full: bool,
    /// Requests that run on it.
    pub in_flight: u32,
    /// Until the last token of an answer of expected length, microseconds; zero
    /// while nothing was observed, as for all that follow.
    pub whole_us: u32,
    /// Until the last token of an answer as long as nine of ten are at most,
    /// microseconds.
    pub whole_usual_us: u32,
    /// The same with nothing else to do, microseconds.
    pub unloaded_us: u32,
    /// The part of the above that its prompt takes, microseconds.
    pub own_prefill_us: u32,
    /// By how much it delays what runs, microseconds in all.
    pub inflicted_us: u32,
    /// It would push an answer that is in time past its deadline.
    pub makes_late: bool,
    /// Its share of the work relative to others; 0 is as 1.
    pub weight: u32,
}

/// Requests on an endpoint of which nothing is known yet.
const UNKNOWN: u32 = 8;

/// What an endpoint must promise to get a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test {
    /// Seconds that it may take in all.
    pub(super) bound: f64,
    /// Seconds that it has waited.
    pub(super) waited: f64,
    /// The part of its own prefill that counts.
    pub(super) counts_prefill: f64,
    /// It may not push others past their deadlines.
    pub(super) guards: bool,
    /// What the gateway must think of it.
    pub(super) health: Health,
}

impl Test {
    /// Anything of this health will do.
    pub(super) fn none(health: Health) -> Self {
        Self {
            bound: f64::INFINITY,
            waited: 0.0,
            counts_prefill: 1.0,
            guards: false,
            health,
        }
    }

    fn passes(&self, at: &Candidate) -> bool {
        if at.health != self.health || at.is_full {
            return false;
        }
        if !at.is_known() {
            return at.in_flight < UNKNOWN || self.bound.is_infinite();
        }
        self.excess(at) <= 0.0 && !(self.guards && at.makes_late)
    }

    /// Seconds by which it would be late.
    fn excess(&self, at: &Candidate) -> f64 {
        let spared = micros(at.own_prefill_us) * (1.0 - self.counts_prefill);
        self.waited + micros(at.whole_usual_us) - spared - self.bound
    }
}

/// A rank, then seconds.
type Score = (u32, f64);

impl Candidate {
    pub(super) fn is_known(&self) -> bool {
        self.whole_us > 0
    }

    pub(super) fn is_up(&self) -> bool {
        self.health == Health::Up
    }

    pub(super) fn is_to_probe(&self) -> bool {
        self.wants_probe && self.health != Health::Down
    }

    /// It may be better than what is known of it: else it might be refused for
    /// ever what would show that.
    pub(super) fn is_forgotten(&self) -> bool {
        self.is_up() && self.is_idle_without_news
    }

    /// The least is chosen. First who has to be made known, last who has begun
    /// to become so; among others what the request costs it and who runs there.
    fn score(&self, heaviest: f64) -> Score {
        let (rank, cost) = match (self.is_known(), self.in_flight) {
            (false, 0) => (0, 1.0),
            (false, in_flight) => (2, f64::from(in_flight)),
            (true, _) => (1, micros(self.whole_us) + micros(self.inflicted_us)),
        };
        (rank, cost * heaviest / weight(self))
    }
}

/// The best of those that pass, by lot among equals.
pub(super) fn best<'a>(
    candidates: &'a [Candidate],
    test: &Test,
    chance: &mut dyn FnMut() -> f64,
) -> Option<&'a Candidate> {
    let heaviest = candidates.iter().map(weight).fold(1.0, f64::max);
    let mut best: Option<(Score, &Candidate)> = None;
    let mut equals = 1.0;
    for at in candidates.iter().filter(|at| test.passes(at)) {
        let score = at.score(heaviest);
        let order = best.map(|(least, _)| score.0.cmp(&least.0).then(score.1.total_cmp(&least.1)));
        match order {
            Some(Ordering::Greater) => continue,
            Some(Ordering::Equal) => {
                // The last of k equals with chance 1/k: each then has the same.
                equals += 1.0;
                if chance() * equals >= 1.0 {
                    continue;
                }
            }
            _ => equals = 1.0,
        }
        best = Some((score, at));
    }
    best.map(|(_, at)| at)
}

/// Seconds that the request takes on the fastest endpoint with nothing else to
/// do; none while nothing is known.
pub(super) fn unloaded(candidates: &[Candidate]) -> Option<f64> {
    let known = candidates
        .iter()
        .filter(|at| at.is_up() && at.is_known() && at.unloaded_us > 0);
    known.map(|at| at.unloaded_us).min().map(micros)
}

/// Seconds by which the best answer would be late, which is about how long it
/// takes until that is so no more; none if no endpoint is up.
pub(super) fn excess(candidates: &[Candidate], test: &Test) -> Option<f64> {
    let up = candidates.iter().filter(|at| at.is_up());
    up.map(|at| test.excess(at)).min_by(f64::total_cmp)
}

fn weight(at: &Candidate) -> f64 {
    f64::from(at.weight.max(1))
}

fn micros(micros: u32) -> f64 {
    f64::from(micros) / 1e6
}
