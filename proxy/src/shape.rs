//! What an endpoint will do with a request, learned from what a gateway sees;
//! who waits for one, and who may be sent to a second. Mechanism alone: it
//! predicts and counts, and filters decide.
//!
//! `predict` is one endpoint's predictor, `history` knows how long answers are,
//! `prefix` which prompts an endpoint has in its cache, `share` what tenants have
//! had, `queue` is the line before a pool, `retries` what it may send twice.

mod history;
pub mod predict;
mod prefix;
mod queue;
mod retries;
mod share;

use std::sync::Arc;
use std::time::Instant;

pub use history::{History, Lengths};
pub use predict::{Need, Prediction, Predictor, Ticket};
pub use prefix::{Blocks, Prefix};
pub use queue::{Hold, Queue, Ticket as Waiting};
pub use retries::Retries;
pub use share::Shares;

/// New tokens expected of an answer that has no cap, where nothing is known.
pub const UNCAPPED: u32 = 512;

/// What a client asks for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Tokens of the prompt.
    pub prompt: u32,
    /// New tokens that an answer may have, if the client says.
    pub max_new: Option<u32>,
    /// Answers to the one prompt.
    pub choices: u32,
    /// Tokens are to be told as they come.
    pub streams: bool,
}

/// What a request asks of an endpoint.
#[derive(Debug, Clone)]
pub struct Demand {
    /// Tokens. How many are cached, an endpoint's `Prefix` says.
    pub need: Need,
    /// Its prompt, as prefix caches have it.
    pub prompt: Blocks,
    /// Whose it is.
    pub tenant: Arc<str>,
    /// When its answer should be complete.
    pub deadline: Option<Instant>,
}

impl Asked {
    /// What that needs, where answers to such requests are so long.
    pub fn need(&self, lengths: Option<Lengths>) -> Need {
        let cap = self.max_new.unwrap_or(UNCAPPED);
        let capped = |tokens: u32| self.max_new.map_or(tokens, |most| tokens.min(most));
        let (mean, usual) = lengths.map_or((cap, cap), |it| (it.mean, it.usual));
        Need {
            prompt: self.prompt,
            cached: 0,
            mean: capped(mean),
            usual: capped(usual),
            cap: cap.saturating_mul(self.choices),
            streams: self.streams,
        }
    }
}
