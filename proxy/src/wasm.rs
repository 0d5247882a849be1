//! Runs filters: WebAssembly components of the world `headworks:filter/filter`
//! (see `sdk/wit`). A bad filter costs the call it failed in and nothing else.
//! wasmtime's types stop here; what a filter's answer means is for `filter`.

mod binary;
mod bindings;
mod code;
mod convert;
mod deadline;
mod engine;
mod failure;
mod filter;
mod idle;
mod imports;
mod instance;
mod keyvalue;
mod limits;
mod load;
mod log;
mod meter;
mod metrics;
mod recipe;
mod runtime;
mod state;
mod ticker;

pub use engine::Options;
pub use failure::{Failure, FailureKind, Hook};
pub use filter::Filter;
pub use load::{LoadError, SettingsProblem, Source};
pub use runtime::{Runtime, RuntimeError};
