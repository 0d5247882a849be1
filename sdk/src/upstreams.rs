//! The pools of the configuration and their endpoints.
//!
//! ```
//! # use headworks_sdk::prelude::*;
//! fn first_with_room(pools: &[String]) -> Option<&String> {
//!     pools.iter().find(|pool| upstreams::snapshot(pool).iter().any(|at| at.queue_depth == 0))
//! }
//! ```

use crate::Candidate;
use crate::host::upstreams;

/// The names of the pools.
#[must_use]
pub fn pools() -> Vec<String> {
    upstreams::pools()
}

/// The endpoints of a pool at this instant; empty for a pool that does not exist.
#[must_use]
pub fn snapshot(pool: &str) -> Vec<Candidate> {
    upstreams::snapshot(pool)
}

/// The URL of an endpoint.
#[must_use]
pub fn endpoint_name(pool: &str, id: u32) -> Option<String> {
    upstreams::endpoint_name(pool, id)
}
