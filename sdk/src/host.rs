//! What the host gives a filter: the imports of the world in wasm, the mock's in tests.

#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::headworks::filter::{
    metrics, outcome, request, setup, store, system,
};
#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::testing::imports::{
    budgets, metrics, outcome, request, setup, store, system, upstreams,
};

#[cfg(target_family = "wasm")]
pub(crate) mod budgets {
    use crate::Allowance;
    use crate::bindings::headworks::filter::budgets;

    pub(crate) fn declare(allowance: &Allowance) -> u32 {
        budgets::declare(allowance.into())
    }
}

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
