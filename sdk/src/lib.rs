//! Write Headworks filters in Rust.
//!
//! A filter is a policy: which pool, which limit, which endpoint, and no. It is
//! compiled to wasm and the gateway loads it, also while it runs; the same
//! filter runs under plain `cargo test` against a mock of the gateway.
//!
//! ```
//! use headworks_sdk::prelude::*;
//!
//! #[config]
//! pub struct Config {
//!     header: String,
//!     routes: BTreeMap<String, String>,
//! }
//!
//! #[on_request]
//! fn tier_router(request: &mut Request, config: &Config) -> Verdict {
//!     let tier = request.header(&config.header);
//!     if let Some(pool) = tier.and_then(|tier| config.routes.get(&tier)) {
//!         request.route(pool);
//!     }
//!     Verdict::Next
//! }
//! ```
//!
//! From here: [`Filter`] for more than one hook, [`Request`] for what a filter
//! may read and change, [`Problems`] to judge settings, [`Counter`] and its
//! kin, [`store`] for shared state, and `testing` for tests.

// So that the attributes, which say `::headworks_sdk`, work in here too.
extern crate self as headworks_sdk;

mod attributes;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
mod budget;
mod candidate;
pub mod clock;
#[cfg(target_family = "wasm")]
mod convert;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod export;
mod filter;
mod host;
pub mod log;
mod metrics;
mod outcome;
pub mod prelude;
pub mod random;
mod request;
mod settings;
pub mod setup;
pub mod store;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod units;
pub mod upstreams;
mod usable;
mod verdict;

pub use attributes::{config, filter, on_complete, on_request, place};
pub use budget::{Allowance, Budget, Period, Scope, Unit};
pub use candidate::{Candidate, Health};
pub use filter::{Filter, Hooks};
pub use metrics::{Counter, Gauge, Timer};
pub use outcome::{End, Outcome};
pub use request::{Refused, Request};
pub use settings::{NoSettings, Problem, Problems, Settings};
pub use usable::Usable;
pub use verdict::{Placement, Rejection, Verdict};

#[doc(hidden)]
pub use serde;

/// The guide's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/FILTERS.md")]
mod guide {}

/// Exports a filter; what the attributes end with.
#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[macro_export]
macro_rules! export {
    ($filter:ty) => {
        const _: () = {
            ::std::thread_local! {
                static FILTER: ::std::cell::OnceCell<$filter> =
                    const { ::std::cell::OnceCell::new() };
            }

            impl $crate::export::Exported for $filter {
                fn cell() -> &'static ::std::thread::LocalKey<::std::cell::OnceCell<Self>> {
                    &FILTER
                }
            }

            type Exported = $crate::export::Hooks<$filter>;
    $crate::bindings::export_hooks!(Exported with_types_in $crate::bindings);
        };
    };
}

/// Exports nothing: the names of a component's exports do not link natively.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! export {
    ($filter:ty) => {
        // A filter that only wasm uses is not dead code.
        const _: $crate::Hooks = <$filter as $crate::Filter>::HOOKS;
    };
}
