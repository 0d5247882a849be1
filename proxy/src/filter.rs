//! What a policy may decide, and how policies are run: the chain, the
//! generation that holds it, and the reload that replaces it. Nothing here
//! knows wasmtime.

mod breaker;
pub mod builtin;
pub mod chain;
pub mod generation;
pub mod load;
pub mod reload;

use std::sync::Arc;
use std::time::Duration;

pub use chain::{Chain, Link};
pub use generation::{Generation, Live};
pub use load::Loader;

/// What a filter says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No objection: ask the next filter.
    Next,
    /// Refuse.
    Reject(Rejection),
}

/// An answer given instead of the upstream's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// HTTP status, 400 to 599.
    pub status: u16,
    /// Machine-readable code.
    pub code: String,
    /// One sentence for the person who sent the request.
    pub message: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

/// Where a filter puts a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// On the candidate with this id.
    At(u32),
    /// Nowhere yet.
    Wait,
    /// Nowhere at all.
    Reject(Rejection),
}

/// The hooks that a filter uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// It judges requests.
    pub on_request: bool,
    /// It chooses endpoints.
    pub place: bool,
    /// It learns how exchanges ended.
    pub on_complete: bool,
}

/// Where the chain puts a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// On the candidate with this id.
    At(u32),
    /// Nowhere yet: ask again when capacity frees.
    Wait,
    /// No filter decides: the gateway's own rule does.
    Open,
}

/// Why the chain does not let a request pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A filter refused it.
    Rejected {
        /// Which.
        filter: Arc<str>,
        /// How it is to be answered.
        rejection: Rejection,
    },
    /// A filter that must not be missing failed, or is out after failures.
    Failed {
        /// Which.
        filter: Arc<str>,
    },
}

/// What the host thinks of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Answers.
    Up,
    /// Answers, but suspect.
    Degraded,
    /// Does not answer.
    Down,
}

/// One endpoint as a filter sees it: `types.candidate` of the WIT contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Index into the pool's endpoints.
    pub id: u32,
    /// What the host thinks of it.
    pub health: Health,
    /// Exchanges now running on it.
    pub in_flight: u32,
    /// Tokens those exchanges may still cost.
    pub outstanding_tokens: u32,
    /// The engine's own queue, 0 when not scraped.
    pub queue_depth: u32,
    /// Predicted time to first token, microseconds; 0 before any observation.
    pub predicted_ttft_us: u32,
    /// Predicted time to the last token, microseconds; 0 before any observation.
    pub predicted_e2e_us: u32,
    /// Free key/value cache, tokens; `u32::MAX` when unknown.
    pub free_kv_tokens: u32,
    /// Prompt tokens believed cached there.
    pub prefix_hit_tokens: u32,
    /// From the configuration.
    pub weight: u32,
    /// Bit set: 1 = wants a probe, 2 = slow start.
    pub marks: u32,
}

impl Refusal {
    /// The filter that it comes from.
    pub fn filter(&self) -> &Arc<str> {
        match self {
            Self::Rejected { filter, .. } | Self::Failed { filter } => filter,
        }
    }
}
