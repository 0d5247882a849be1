//! Envoy's adaptive concurrency: how many requests a pool may have in flight,
//! from how much longer they take than if there were few.

mod controller;
#[cfg(test)]
mod tests;

use headworks_sdk::prelude::*;

use controller::Controller;

/// When what is done.
#[config]
#[serde(default)]
pub struct Gradient {
    /// How often the limit is set.
    window_ms: u32,
    /// How often the best time is measured.
    measure_every_ms: u32,
}

impl Default for Gradient {
    fn default() -> Self {
        Self {
            window_ms: 100,
            measure_every_ms: 60_000,
        }
    }
}

#[filter]
impl Filter for Gradient {
    fn place(&self, request: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
        let pool = request.pool().unwrap_or_default();
        let controller: Controller = store::get_json(&pool).unwrap_or_default();
        let in_flight: u32 = candidates.iter().map(|at| at.in_flight).sum();
        Usable::among(candidates, |usable| {
            if in_flight >= controller.limit() {
                return Rejection::overloaded(Duration::from_secs(1)).into();
            }
            Placement::at(usable.least(|at| at.in_flight))
        })
    }

    fn on_complete(&self, _: &Request, outcome: &Outcome) {
        if outcome.end() == End::Ok {
            let pool = outcome.pool().unwrap_or_default();
            store::update_json(&pool, None, |controller: &mut Controller| {
                controller.learn(outcome.latency(), clock::monotonic(), self);
            });
        }
    }
}
