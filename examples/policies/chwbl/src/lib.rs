//! Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016):
//! requests of one session go to one endpoint, for what it has in its prefix
//! cache, until that endpoint has a quarter more than its share.

#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};

use headworks_sdk::prelude::*;

/// How many times the mean number in flight one endpoint may have.
const LOAD_FACTOR: f64 = 1.25;

/// What tells sessions apart.
#[config]
pub struct Config {
    /// A header that names the session. Requests without it are told apart by
    /// their tenants, and those without a tenant not at all.
    #[serde(default = "session")]
    header: String,
}

/// The nearest that has not more than its share.
#[place]
pub fn bounded_hash(
    request: &mut Request,
    candidates: &[Candidate],
    _: Duration,
    config: &Config,
) -> Placement {
    let session = request.header(&config.header).or_else(|| request.tenant());
    let session = session.unwrap_or_else(|| random::u64().to_string());
    let pool = request.pool().unwrap_or_default();
    Usable::among(candidates, |usable| {
        let all: u32 = usable.iter().map(|at| at.in_flight).sum();
        let share = f64::from(all + 1) / usable.len() as f64;
        let bound = (LOAD_FACTOR * share).ceil() as u32;
        let nearest = usable
            .iter()
            .filter(|at| at.in_flight < bound)
            .max_by_key(|at| nearness(&session, &pool, at));
        Placement::at(nearest.expect("not all have more than their share"))
    })
}

/// How near an endpoint is to a session: the highest random weight, which like a
/// ring moves only the sessions of endpoints that come or go.
fn nearness(session: &str, pool: &str, at: &Candidate) -> u64 {
    // Made without keys it is the same in all instances.
    let mut hasher = DefaultHasher::new();
    // The URL stays when others come and go, and numbers move.
    (session, upstreams::endpoint_name(pool, at.id)).hash(&mut hasher);
    hasher.finish()
}

fn session() -> String {
    "x-session".to_owned()
}
