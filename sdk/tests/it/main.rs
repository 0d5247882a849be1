//! Filters, as their authors write them, in the mock gateway.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may fail, as tests may"
)]

mod calls;
mod gateway;
mod hooks;
mod settings;
mod usable;
