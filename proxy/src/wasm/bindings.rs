//! What wasmtime makes of the contract in `sdk/wit`. Nothing outside `wasm`
//! sees these types.

#![allow(missing_docs, unreachable_pub, reason = "generated")]

wasmtime::component::bindgen!({
    world: "filter",
    path: "../sdk/wit",
    ownership: Borrowing { duplicate_if_necessary: false },
    imports: { default: trappable },
});

pub(super) use self::headworks::filter::{
    budgets, metrics, outcome, request, setup, store, system, types, upstreams,
};
pub(super) use exports::headworks::filter::hooks;
