//! Endpoints take turns, in each pool on its own.

#[cfg(test)]
mod tests;

use headworks_sdk::prelude::*;

/// The next in turn.
#[place]
pub fn round_robin(request: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
    let pool = request.pool().unwrap_or_default();
    Usable::among(candidates, |usable| {
        let turn = store::increment(&pool, 1, None) as usize;
        Placement::at(usable[turn % usable.len()])
    })
}
