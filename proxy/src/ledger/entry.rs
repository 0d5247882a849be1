//! What is written down: one exchange, and the rows it is added to.

use std::ops::AddAssign;
use std::sync::Arc;

use crate::day::Day;

/// Stands for a tenant or key that nobody knows.
pub const ABSENT: &str = "-";

/// What one settled exchange used.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who pays; `ABSENT` if nobody is known.
    pub tenant: Arc<str>,
    /// The name of the key that was shown; `ABSENT` without one.
    pub key: Arc<str>,
    /// The class of priority.
    pub class: Arc<str>,
    /// The model that answered.
    pub model: Arc<str>,
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
}

/// What tells the rows of one day apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// Who pays.
    pub tenant: Arc<str>,
    /// The name of the key.
    pub key: Arc<str>,
    /// The class of priority.
    pub class: Arc<str>,
    /// The model that answered.
    pub model: Arc<str>,
}

/// What was used. Sums stop at the largest number instead of starting again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Exchanges.
    pub requests: u64,
    /// Tokens of their prompts.
    pub input_tokens: u64,
    /// Tokens of their answers.
    pub output_tokens: u64,
}

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The day, UTC.
    pub day: Day,
    /// Whose it is.
    pub key: RowKey,
    /// What was used.
    pub sums: Sums,
}

impl Entry {
    pub(super) fn into_parts(self) -> (RowKey, Sums) {
        let sums = Sums {
            requests: 1,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
        };
        let key = RowKey {
            tenant: self.tenant,
            key: self.key,
            class: self.class,
            model: self.model,
        };
        (key, sums)
    }
}

impl Sums {
    /// Tokens of prompts and answers.
    pub fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, more: Self) {
        self.requests = self.requests.saturating_add(more.requests);
        self.input_tokens = self.input_tokens.saturating_add(more.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(more.output_tokens);
    }
}
