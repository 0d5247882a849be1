//! What wasmtime makes of the contract in `sdk/wit`. Nothing outside `wasm`
//! sees these types.

#![allow(missing_docs, unreachable_pub, reason = "generated")]

wasmtime::component::bindgen!({
    world: "filter",
    path: "../sdk/wit",
    ownership: Borrowing { duplicate_if_necessary: false },
    imports: { default: trappable },
    with: {
        "headworks:filter/metrics.counter": super::imports::Counter,
        "headworks:filter/metrics.gauge": super::imports::Gauge,
        "headworks:filter/metrics.timer": super::imports::Timer,
    },
});

pub(super) use self::headworks::filter::{
    exchange, metrics, setup, store, system, types, upstreams,
};
pub(super) use exports::headworks::filter::hooks;
