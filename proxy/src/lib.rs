//! Headworks, a gateway for LLM inference.
//!
//! A request walks one way: `api` reads what was asked, `filter` runs the
//! chain, `upstream` places and forwards it, `observe` records it. `gateway` is
//! the table of contents of that walk.

pub mod api;
pub mod cli;
pub mod config;
pub mod error;
pub mod exchange;
pub mod filter;
pub mod observe;
pub mod upstream;
pub mod wasm;
