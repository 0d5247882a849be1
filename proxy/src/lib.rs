//! Headworks, a gateway for LLM inference.
//!
//! A request walks one way: `identity` says whose it is, `api` reads what was
//! asked, `filter` runs the chain, `limit` lets it in, `upstream` places it by
//! what `shape` predicts and forwards it, `ledger` writes down what it used,
//! `observe` records it. `gateway` is the table of contents of that walk.

pub mod admin;
pub mod api;
pub mod bench;
pub mod cli;
pub mod config;
pub mod day;
pub mod downstream;
pub mod error;
pub mod exchange;
pub mod filter;
pub mod gateway;
pub mod identity;
pub mod ledger;
pub mod limit;
pub mod observe;
pub mod outcome;
pub mod server;
pub mod shape;
pub mod shared_limits;
pub mod tokenizer;
pub mod upstream;
pub mod wasm;
