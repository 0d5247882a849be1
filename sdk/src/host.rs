//! What the host gives a filter: the imports of the world in wasm, the mock's in tests.

#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::headworks::filter::{exchange, metrics, setup, store, system};
#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::testing::{
    exchange,
    imports::{metrics, setup, store, system, upstreams},
};

#[cfg(target_family = "wasm")]
pub(crate) mod upstreams {
    use crate::Candidate;
    use crate::bindings::headworks::filter::upstreams;

    pub(crate) use upstreams::{endpoint_name, pools};

    pub(crate) fn snapshot(pool: &str) -> Vec<Candidate> {
        upstreams::snapshot(pool)
            .into_iter()
            .map(Candidate::from)
            .collect()
    }
}
