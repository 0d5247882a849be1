//! The work that an endpoint would have with the request, in the time of the
//! fastest.

use std::cmp::Ordering;

use headworks_sdk::prelude::*;

/// A slow endpoint counts as this many times slower than the fastest at most:
/// it must still get requests now and then, or it could not show that it has
/// recovered.
const SLOWEST: f64 = 4.0;

/// A request and the endpoints that may have it.
pub(crate) struct Work<'a> {
    tokens: u32,
    candidates: &'a [&'a Candidate],
    /// The best predicted time to the last token, if each candidate has one.
    fastest_us: Option<u32>,
}

/// Work in tokens, then exchanges; compared in this order.
type Score = (f64, u32);

impl<'a> Work<'a> {
    /// A request that may cost so many tokens, and at least one candidate.
    pub(crate) fn of(tokens: u32, candidates: &'a [&'a Candidate]) -> Self {
        let fastest = candidates.iter().map(|at| at.predicted_e2e_us).min();
        Self {
            tokens,
            candidates,
            fastest_us: fastest.filter(|micros| *micros > 0),
        }
    }

    /// The candidate with the least work; among equals, one by chance.
    pub(crate) fn least(&self) -> &'a Candidate {
        let scores: Vec<Score> = self.candidates.iter().map(|at| self.score(at)).collect();
        let least = scores.iter().copied().min_by(compare).unwrap_or((0.0, 0));
        let equals = || (0..scores.len()).filter(|i| compare(&scores[*i], &least).is_eq());
        let lot = match equals().count() {
            0 | 1 => 0,
            several => random::below(several.try_into().unwrap_or(u32::MAX)),
        };
        let chosen = equals().nth(lot as usize).unwrap_or(0);
        self.candidates[chosen]
    }

    fn score(&self, candidate: &Candidate) -> Score {
        let tokens = u64::from(candidate.outstanding_tokens) + u64::from(self.tokens);
        // At most 33 bits, which the mantissa holds.
        let work = tokens as f64 * self.slowness(candidate);
        let weight = f64::from(candidate.weight.max(1));
        (work / weight, candidate.in_flight)
    }

    /// How many times slower than the fastest; 1 while that is not known of all.
    fn slowness(&self, candidate: &Candidate) -> f64 {
        let against = |fastest| f64::from(candidate.predicted_e2e_us) / f64::from(fastest);
        self.fastest_us
            .map_or(1.0, |fastest| against(fastest).min(SLOWEST))
    }
}

fn compare(one: &Score, other: &Score) -> Ordering {
    one.0.total_cmp(&other.0).then(one.1.cmp(&other.1))
}
