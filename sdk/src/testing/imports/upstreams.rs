//! The pools that the test declared.

use crate::Candidate;
use crate::testing::world::World;

pub(crate) fn pools() -> Vec<String> {
    World::current().pools.keys().cloned().collect()
}

pub(crate) fn snapshot(pool: &str) -> Vec<Candidate> {
    World::current()
        .pools
        .get(pool)
        .cloned()
        .unwrap_or_default()
}

pub(crate) fn endpoint_name(pool: &str, id: u32) -> Option<String> {
    let candidates = snapshot(pool);
    let known = candidates.iter().any(|candidate| candidate.id == id);
    known.then(|| format!("http://{pool}-{id}"))
}
