//! Chooses the endpoint with the least work for its weight, and keeps requests
//! waiting in the gateway while every endpoint is busy.

mod score;
#[cfg(test)]
mod tests;

use headworks_sdk::prelude::*;

use score::Work;

/// When another try is worth it if nothing answers. The gateway leaves an
/// endpoint that cannot be reached alone for no less.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// New tokens expected of a request that names no cap.
const UNCAPPED: u32 = 512;

/// How much one endpoint takes.
#[config(check)]
pub struct LoadShaper {
    /// Exchanges on one endpoint at a time; no limit when absent.
    max_in_flight: Option<u32>,
}

impl LoadShaper {
    fn check(&self, problems: &mut Problems) {
        if self.max_in_flight == Some(0) {
            let message = "must be greater than 0, got 0; leave it out for no limit";
            problems.add("max_in_flight", message);
        }
    }

    fn has_room(&self, candidate: &Candidate) -> bool {
        self.max_in_flight
            .is_none_or(|most| candidate.in_flight < most)
    }
}

#[filter]
impl Filter for LoadShaper {
    fn place(&self, request: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
        // A request that is to show whether an endpoint does well again.
        if let Some(probe) = candidates.iter().find(|candidate| candidate.wants_probe()) {
            return Placement::at(probe);
        }
        let best_health = candidates.iter().map(|candidate| candidate.health).min();
        let health = match best_health {
            Some(health) if health != Health::Down => health,
            _ => return nobody_answers().into(),
        };
        let fit: Vec<&Candidate> = candidates
            .iter()
            .filter(|candidate| candidate.health == health && self.has_room(candidate))
            .collect();
        match fit[..] {
            [] => Placement::Wait,
            // Nothing to compare, so nothing to ask the request for.
            [only] => Placement::at(only),
            _ => Placement::at(Work::of(expected_tokens(request), &fit).least()),
        }
    }
}

/// What the request may cost: its prompt and the tokens that it may generate.
fn expected_tokens(request: &Request) -> u32 {
    let new = request.max_new_tokens().unwrap_or(UNCAPPED);
    request.prompt_tokens().saturating_add(new)
}

fn nobody_answers() -> Rejection {
    let message = "no endpoint answers at the moment; try again later";
    Rejection::new(503, "no_endpoint", message).retry_after(RETRY_AFTER)
}
