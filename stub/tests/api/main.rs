//! The stub over real sockets: answers, refusals, faults and what tests read off it.

mod faults;
mod life;
mod openai;
#[expect(clippy::unwrap_used, reason = "a helper of tests fails by panicking")]
mod support;
mod tgi;
#[expect(clippy::unwrap_used, reason = "a helper of tests fails by panicking")]
mod vllm;
