//! What `wit-bindgen` makes of `wit/filter.wit`. The rest of the crate hides it:
//! none of these types shows in a public signature.
#![expect(unsafe_code, reason = "the canonical ABI passes pointers")]
#![allow(
    clippy::all,
    missing_docs,
    unreachable_pub,
    clippy::needless_pass_by_value,
    clippy::allow_attributes_without_reason,
    clippy::semicolon_if_nothing_returned,
    clippy::redundant_closure_for_method_calls,
    clippy::unwrap_used,
    reason = "generated code"
)]

wit_bindgen::generate!({
    path: "wit",
    world: "filter",
    // Lists of labels go out as `&[&str]`, without a copy of each string.
    ownership: Borrowing { duplicate_if_necessary: false },
    pub_export_macro: true,
    export_macro_name: "export_hooks",
    default_bindings_module: "headworks_sdk::bindings",
});

use headworks::filter::exchange::{Outcome, Request};

/// Takes over the request that a hook was lent, so that `&mut Request` of the
/// SDK needs no lifetime. Dropped with the hook, as the canonical ABI demands.
pub(crate) fn take_request(lent: &Request) -> Request {
    // SAFETY: `take_handle` leaves nothing in `lent` that could be dropped twice.
    unsafe { Request::from_handle(lent.take_handle()) }
}

/// As [`take_request`].
pub(crate) fn take_outcome(lent: &Outcome) -> Outcome {
    // SAFETY: `take_handle` leaves nothing in `lent` that could be dropped twice.
    unsafe { Outcome::from_handle(lent.take_handle()) }
}
