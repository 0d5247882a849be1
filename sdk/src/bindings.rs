//! What `wit-bindgen` makes of `wit/filter.wit`. The rest of the crate hides it:
//! none of these types shows in a public signature.
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
