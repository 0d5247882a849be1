//! What a policy may decide, and how policies are run: the chain, the
//! generation that holds it, and the reload that replaces it. Nothing here
//! knows wasmtime.

mod breaker;
pub mod builtin;
pub mod candidate;
pub mod chain;
pub mod generation;
pub mod load;
pub mod reload;

use std::sync::Arc;
use std::time::Duration;

pub use candidate::{Candidate, Health};
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

impl Refusal {
    /// The filter that it comes from.
    pub fn filter(&self) -> &Arc<str> {
        match self {
            Self::Rejected { filter, .. } | Self::Failed { filter } => filter,
        }
    }
}
