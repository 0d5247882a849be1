//! The endpoint with the fewest requests in flight, as long as it has fewer than
//! it may have; else the request is refused at once.

#[cfg(test)]
mod tests;

use headworks_sdk::prelude::*;

/// How much one endpoint takes.
#[config(check)]
pub struct Config {
    /// Requests in flight on one endpoint.
    most: u32,
}

impl Config {
    fn check(&self, problems: &mut Problems) {
        if self.most == 0 {
            problems.add("most", "must be greater than 0, got 0");
        }
    }
}

/// The fewest in flight, below the limit.
#[place]
pub fn fixed_limit(
    _: &mut Request,
    candidates: &[Candidate],
    _: Duration,
    config: &Config,
) -> Placement {
    Usable::among(candidates, |usable| {
        let idlest = usable.least(|at| at.in_flight);
        if idlest.in_flight < config.most {
            return Placement::at(idlest);
        }
        Rejection::overloaded(Duration::from_secs(1)).into()
    })
}
