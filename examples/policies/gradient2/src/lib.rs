//! Gradient2 of Netflix's concurrency-limits: how many requests a pool may have
//! in flight, from how much longer each takes than they take on average.

#[cfg(test)]
mod tests;

use headworks_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// What the limit begins with, and the least it comes to.
const LEAST: f64 = 20.0;
/// The most it comes to.
const MOST: f64 = 200.0;
/// How many times the average is no sign of a queue.
const TOLERANCE: f64 = 1.5;
/// What a limit grows by where there is no queue.
const QUEUE: f64 = 4.0;
/// How much of a new limit is applied at once.
const SMOOTHING: f64 = 0.2;
/// So many requests have a plain mean.
const WARM_UP: u32 = 10;
/// So many the mean reaches back from then on.
const WINDOW: f64 = 600.0;

/// The filter, which has no settings.
#[config]
pub struct Gradient2 {}

/// What is known of a pool.
#[derive(Default, Serialize, Deserialize)]
struct Pool {
    limit: f64,
    /// Of the times that requests took, in seconds.
    average: f64,
    seen: u32,
}

#[filter]
impl Filter for Gradient2 {
    fn place(&self, request: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
        let pool = request.pool().unwrap_or_default();
        let known: Pool = store::get_json(&pool).unwrap_or_default();
        let in_flight = 1 + candidates.iter().map(|at| at.in_flight).sum::<u32>();
        Usable::among(candidates, |usable| {
            if f64::from(in_flight) > known.limit.max(LEAST) {
                return Rejection::overloaded(Duration::from_secs(1)).into();
            }
            request.set_state(&in_flight.to_le_bytes());
            Placement::at(usable.least(|at| at.in_flight))
        })
    }

    fn on_complete(&self, request: &Request, outcome: &Outcome) {
        // None with a probe, which says nothing of others.
        let in_flight = request.state().try_into().map(u32::from_le_bytes);
        if let (Ok(in_flight), End::Ok) = (in_flight, outcome.end()) {
            let pool = outcome.pool().unwrap_or_default();
            let mut known: Pool = store::get_json(&pool).unwrap_or_default();
            known.learn(outcome.latency().as_secs_f64(), in_flight.into());
            store::set_json(&pool, &known, None);
        }
    }
}

impl Pool {
    /// A request that was the last of so many in flight took so long.
    fn learn(&mut self, took: f64, in_flight: f64) {
        self.seen = self.seen.saturating_add(1);
        let weight = match self.seen {
            ..=WARM_UP => 1.0 / f64::from(self.seen),
            _ => 2.0 / (WINDOW + 1.0),
        };
        self.average += (took - self.average) * weight;
        let gradient = (TOLERANCE * self.average / took).clamp(0.5, 1.0);
        // Things are well again, after they were not for long.
        if self.average > 2.0 * took {
            self.average *= 0.95;
        }
        let limit = self.limit.max(LEAST);
        // A limit that is not half used is none.
        if in_flight >= limit / 2.0 {
            let new = limit * gradient + QUEUE;
            self.limit = (limit + (new - limit) * SMOOTHING).clamp(LEAST, MOST);
        }
    }
}
