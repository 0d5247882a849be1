//! The host's functions with the signatures that the bindings have in wasm, on
//! the world of the running test.

pub(crate) mod budgets;
pub(crate) mod metrics;
pub(crate) mod outcome;
pub(crate) mod request;
pub(crate) mod setup;
pub(crate) mod store;
pub(crate) mod system;
pub(crate) mod upstreams;
