//! Headworks, a gateway for LLM inference.
//!
//! A request walks one way: `api` reads what was asked, `filter` runs the
//! chain, `upstream` places and forwards it, `observe` records it. `gateway` is
//! the table of contents of that walk.

pub mod admin;
pub mod api;
pub mod cli;
pub mod config;
pub mod downstream;
pub mod error;
pub mod exchange;
pub mod filter;
pub mod gateway;
pub mod observe;
pub mod outcome;
pub mod server;
pub mod tokenizer;
pub mod upstream;
pub mod wasm;
