//! What filters may ask of the host: the imports of the contract, a file each.
//! An answer of `Err` to wasmtime ends the call as a failure of the filter.

mod budgets;
mod metrics;
mod outcome;
mod request;
mod setup;
mod store;
mod system;
mod upstreams;

use std::time::Duration;

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Result};

use super::bindings;
use super::state::State;
pub(super) use outcome::facts;

impl bindings::types::Host for State {}

/// A linker with every import of the contract and no other.
pub(super) fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    bindings::Filter::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Whole microseconds.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
