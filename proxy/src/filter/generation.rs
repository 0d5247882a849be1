//! One loaded configuration with its pools and compiled chain.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Chain;
use crate::config::Config;
use crate::upstream::Pools;

/// What a request lives by, from its start to its end.
pub struct Generation {
    /// Counts from 1.
    pub id: u64,
    /// The configuration.
    pub config: Config,
    /// Its pools.
    pub pools: Arc<Pools>,
    /// Its filters.
    pub chain: Chain,
    /// Model ids that the configuration knows: pools and what filters serve.
    pub models: BTreeSet<String>,
}

impl Generation {
    /// The model id if the configuration knows it, else `other`.
    pub fn model_label<'a>(&'a self, model: &str) -> &'a str {
        self.models.get(model).map_or("other", String::as_str)
    }
}
