//! Pools and their endpoints: who can answer, how busy each is, and how to
//! reach it. It never asks why a request goes where it goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::filter::Candidate;

/// The pools of one generation, by name.
#[derive(Debug, Default)]
pub struct Pools {
    by_name: BTreeMap<Arc<str>, Arc<Pool>>,
}

/// Endpoints that serve the same model with the same protocol.
#[derive(Debug)]
pub struct Pool {
    /// Its name in the configuration.
    pub name: Arc<str>,
}

impl Pools {
    /// TEMPORARY LOCAL
    pub fn new(config: &crate::config::Config, _: Option<&Pools>) -> Self {
        Self {
            by_name: config
                .pools
                .keys()
                .map(|k| (k.clone(), Arc::new(Pool { name: k.clone() })))
                .collect(),
        }
    }
    /// The pool with this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Pool>> {
        self.by_name.get(name)
    }

    /// The names of all pools, sorted.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_name.keys()
    }
}

impl Pool {
    /// How the pool's endpoints stand, for a request of this size.
    pub fn candidates(&self, _prompt_tokens: u32, _new_tokens: u32) -> Vec<Candidate> {
        unimplemented!("being written")
    }

    /// An endpoint's URL.
    pub fn endpoint_name(&self, _id: u32) -> Option<Arc<str>> {
        unimplemented!("being written")
    }
}
