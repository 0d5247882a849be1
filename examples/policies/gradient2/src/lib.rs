//! Gradient2 of Netflix's concurrency-limits: how many requests a pool may have
//! in flight, from how much longer each takes than they take on average.

mod limit;
#[cfg(test)]
mod tests;

use headworks_sdk::prelude::*;

use limit::Limit;

/// The filter, which has no settings.
#[config]
pub struct Gradient2 {}

#[filter]
impl Filter for Gradient2 {
    fn place(&self, request: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
        let pool = request.pool().unwrap_or_default();
        let limit: Limit = store::get_json(&pool).unwrap_or_default();
        let in_flight = 1 + candidates.iter().map(|at| at.in_flight).sum::<u32>();
        Usable::among(candidates, |usable| {
            if f64::from(in_flight) > limit.value() {
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
            store::update_json(&pool, None, |limit: &mut Limit| {
                limit.learn(outcome.latency().as_secs_f64(), in_flight.into());
            });
        }
    }
}
