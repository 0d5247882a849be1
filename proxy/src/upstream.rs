//! Pools and their endpoints: who can answer, how busy each is, and how to
//! reach it. It never asks why a request goes where it goes.

mod address;
mod answer;
mod connect;
mod endpoint;
pub mod forward;
mod kept;
mod message;
mod queue;
mod terms;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::config::{self, Config};
use crate::filter::Candidate;

pub use connect::Connector;
pub use endpoint::{Endpoint, Slot};
pub use queue::Queue;

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
    /// What the configuration says of it.
    pub config: config::Pool,
    /// In the order of the configuration; a candidate's id is its index here.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// Requests that wait for one of them.
    pub queue: Arc<Queue>,
}

impl Pools {
    /// The pools of a configuration. Endpoints and queues that the previous
    /// generation had too are the same ones: what runs and waits goes on being
    /// counted.
    pub fn new(config: &Config, previous: Option<&Self>) -> Self {
        let known = previous.map(Self::endpoints).unwrap_or_default();
        let queue = |name: &str| {
            let old = previous.and_then(|pools| pools.get(name));
            old.map(|pool| pool.queue.clone()).unwrap_or_default()
        };
        let by_name = config
            .pools
            .iter()
            .map(|(name, pool)| {
                let pool = Pool::new(name, pool, queue(name), &known);
                (name.clone(), Arc::new(pool))
            })
            .collect();
        Self { by_name }
    }

    /// The pool with this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Pool>> {
        self.by_name.get(name)
    }

    /// All pools, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.by_name.values()
    }

    /// The names of all pools, sorted.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_name.keys()
    }

    /// Closes connections to endpoints that waited for too long.
    pub fn sweep(&self, now: Instant) {
        let endpoints = self.iter().flat_map(|pool| &pool.endpoints);
        endpoints.for_each(|endpoint| endpoint.kept.sweep(now));
    }

    fn endpoints(&self) -> BTreeMap<Arc<str>, Arc<Endpoint>> {
        let pools = self.by_name.values();
        let all = pools.flat_map(|pool| &pool.endpoints);
        all.map(|endpoint| (endpoint.url.clone(), endpoint.clone()))
            .collect()
    }
}

impl Pool {
    fn new(
        name: &Arc<str>,
        config: &config::Pool,
        queue: Arc<Queue>,
        known: &BTreeMap<Arc<str>, Arc<Endpoint>>,
    ) -> Self {
        let endpoints = config.endpoints.iter().map(|endpoint| {
            let old = known.get(endpoint::url(endpoint).as_str()).cloned();
            old.unwrap_or_else(|| Arc::new(Endpoint::new(endpoint)))
        });
        Self {
            name: name.clone(),
            endpoints: endpoints.collect(),
            config: config.clone(),
            queue,
        }
    }

    /// Takes a place on the endpoint of this id, which a candidate has, for a
    /// request that may cost this many tokens in all.
    pub fn take(&self, id: u32, tokens: u32) -> Slot {
        let endpoint = self.endpoints[id as usize].clone();
        Slot::new(endpoint, self.queue.clone(), id, tokens)
    }

    /// Whether any endpoint is worth trying.
    pub fn is_up(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.is_up())
    }

    /// How the pool's endpoints stand, for a request that may cost this many
    /// new tokens.
    pub fn candidates(&self, new_tokens: u32) -> Vec<Candidate> {
        let weights = self.config.endpoints.iter().map(|endpoint| endpoint.weight);
        let ids = 0..;
        ids.zip(self.endpoints.iter().zip(weights))
            .map(|(id, (endpoint, weight))| endpoint.candidate(id, weight, new_tokens))
            .collect()
    }

    /// An endpoint's URL.
    pub fn endpoint_name(&self, id: u32) -> Option<Arc<str>> {
        let endpoint = self.endpoints.get(usize::try_from(id).ok()?)?;
        Some(endpoint.url.clone())
    }
}
