//! One loaded configuration with its pools and compiled chain, and which of
//! them is live.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;

use super::Chain;
use crate::config::Config;
use crate::upstream::{Pool, Pools};

/// What a request lives by, from its start to its end.
pub struct Generation {
    /// Counts from 1.
    pub id: u64,
    /// When it went live.
    pub since: SystemTime,
    /// The configuration.
    pub config: Config,
    /// Its pools.
    pub pools: Arc<Pools>,
    /// Its filters.
    pub chain: Chain,
    /// Model ids that clients may ask for.
    pub models: BTreeSet<String>,
}

impl Generation {
    /// The model id if the configuration knows it, else `other`.
    pub fn model_label<'a>(&'a self, model: &str) -> &'a str {
        self.models.get(model).map_or("other", String::as_str)
    }

    /// The pool of a request that no filter routed.
    pub fn default_pool(&self) -> Option<&Arc<Pool>> {
        self.pools.get(self.config.default_pool.as_ref()?)
    }
}

/// The generation that new requests get.
pub struct Live(ArcSwap<Generation>);

impl Live {
    /// The first generation.
    pub fn new(first: Generation) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// The generation for a request that starts now. It keeps it to its end.
    pub fn current(&self) -> Arc<Generation> {
        self.0.load_full()
    }

    /// Makes a generation the one for requests that start from now on.
    pub fn replace(&self, next: Generation) {
        self.0.store(Arc::new(next));
    }
}
