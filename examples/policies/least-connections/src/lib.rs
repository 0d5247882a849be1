//! The endpoint with the fewest requests in flight; among equals, one by chance.

#[cfg(test)]
mod tests;

use headworks_sdk::prelude::*;

/// The fewest in flight.
#[place]
pub fn least_connections(_: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
    Usable::among(candidates, |usable| {
        Placement::at(usable.least(|at| at.in_flight))
    })
}
