//! Pools and their endpoints: who can answer, how busy each is, and how to
//! reach it. It never asks why a request goes where it goes.

mod address;
mod answer;
mod connect;
mod endpoint;
pub mod forward;
pub mod health;
mod info;
mod kept;
mod message;
mod relay;
mod report;
mod scrape;
mod silence;
mod slot;
mod standing;
mod terms;
#[cfg(test)]
mod tests;
mod way;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::api::density::Densities;
use crate::config::{self, Config};
use crate::filter::Candidate;
use crate::shape::{Demand, Queue, Retries, Shares};
use endpoint::View;

pub use connect::Connector;
pub use endpoint::Endpoint;
pub use info::Limits;
pub use report::Report;
pub use scrape::Gauges;
pub use slot::Slot;
pub use way::Way;

/// The pools of one generation, by name.
#[derive(Debug, Default)]
pub struct Pools {
    by_name: BTreeMap<Arc<str>, Arc<Pool>>,
    /// How long prompts are.
    pub densities: Arc<Densities>,
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
    /// Requests that may be sent to a second one.
    pub retries: Arc<Retries>,
    /// What tenants have had of it lately.
    pub shares: Arc<Shares>,
}

impl Pools {
    /// The pools of a configuration. Endpoints, queues and retries that the
    /// previous generation had too are the same ones: what runs and waits goes
    /// on being counted.
    pub fn new(config: &Config, previous: Option<&Self>) -> Self {
        let mut known = Known {
            endpoints: previous.map(Self::endpoints).unwrap_or_default(),
            is_first: previous.is_none(),
        };
        let by_name = config
            .pools
            .iter()
            .map(|(name, pool)| {
                let previous = previous.and_then(|pools| pools.get(name));
                let pool = Pool::new(name, pool, previous, &mut known);
                (name.clone(), Arc::new(pool))
            })
            .collect();
        let densities = previous.map(|pools| pools.densities.clone());
        Self {
            by_name,
            densities: densities.unwrap_or_default(),
        }
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

    /// The endpoint with this URL.
    pub fn endpoint(&self, url: &str) -> Option<&Arc<Endpoint>> {
        let mut all = self.iter().flat_map(|pool| &pool.endpoints);
        all.find(|endpoint| &*endpoint.url == url)
    }

    fn endpoints(&self) -> BTreeMap<Arc<str>, Arc<Endpoint>> {
        let pools = self.by_name.values();
        let all = pools.flat_map(|pool| &pool.endpoints);
        all.map(|endpoint| (endpoint.url.clone(), endpoint.clone()))
            .collect()
    }
}

/// Endpoints by URL: those that a new generation takes over, and its own. One
/// that several pools name is one.
struct Known {
    endpoints: BTreeMap<Arc<str>, Arc<Endpoint>>,
    /// There is nothing to take over: all begin alike.
    is_first: bool,
}

impl Known {
    fn endpoint(&mut self, config: &config::Endpoint) -> Arc<Endpoint> {
        let url = Arc::from(endpoint::url(config));
        let begin = || {
            let new = Endpoint::new(config);
            Arc::new(if self.is_first { new } else { new.joins() })
        };
        self.endpoints.entry(url).or_insert_with(begin).clone()
    }
}

impl Pool {
    fn new(
        name: &Arc<str>,
        config: &config::Pool,
        previous: Option<&Arc<Self>>,
        known: &mut Known,
    ) -> Self {
        let endpoints = config.endpoints.iter();
        let endpoints = endpoints.map(|endpoint| known.endpoint(endpoint));
        Self {
            name: name.clone(),
            endpoints: endpoints.collect(),
            config: config.clone(),
            queue: previous.map(|pool| pool.queue.clone()).unwrap_or_default(),
            retries: previous
                .map(|pool| pool.retries.clone())
                .unwrap_or_default(),
            shares: previous.map(|pool| pool.shares.clone()).unwrap_or_default(),
        }
    }

    /// Takes a place on the endpoint of this id, which a candidate has, for a
    /// request that asks this of it; for one that has nothing generated, nothing.
    pub fn take(&self, id: u32, demand: Option<&Demand>, now: Instant) -> Slot {
        if let Some(demand) = demand {
            let tokens = demand.need.expected();
            self.shares.had(&demand.tenant, tokens, now);
        }
        let endpoint = self.endpoints[id as usize].clone();
        Slot::new(endpoint, self.queue.clone(), id, demand, now)
    }

    /// Whether any endpoint is worth trying.
    pub fn is_up(&self) -> bool {
        let now = Instant::now();
        self.endpoints.iter().any(|endpoint| endpoint.is_up(now))
    }

    /// How the pool's endpoints stand, for a request that asks this of them.
    pub fn candidates(&self, demand: Option<&Demand>, now: Instant) -> Vec<Candidate> {
        self.candidates_where(demand, now, |_, _| true)
    }

    /// Those that a request may be placed on which was tried on some already:
    /// none that is drained, unless all are.
    pub fn choices(&self, demand: Option<&Demand>, tried: &[u32], now: Instant) -> Vec<Candidate> {
        let open = self.candidates_where(demand, now, |id, endpoint| {
            !endpoint.is_drained() && !tried.contains(&id)
        });
        if !open.is_empty() {
            return open;
        }
        self.candidates_where(demand, now, |id, _| !tried.contains(&id))
    }

    /// Whether an endpoint is up and does what it should, other than this one.
    fn does_well_without(&self, id: u32, now: Instant) -> bool {
        let mut others = (0..).zip(&self.endpoints).filter(|(other, _)| *other != id);
        others.any(|(_, endpoint)| endpoint.is_up(now) && !endpoint.has_stalled(now))
    }

    /// Whether a request may go elsewhere that was tried on some already.
    pub fn has_other(&self, tried: &[u32]) -> bool {
        let mut endpoints = (0..).zip(&self.endpoints);
        endpoints.any(|(id, endpoint)| !endpoint.is_drained() && !tried.contains(&id))
    }

    fn candidates_where(
        &self,
        demand: Option<&Demand>,
        now: Instant,
        is_wanted: impl Fn(u32, &Endpoint) -> bool,
    ) -> Vec<Candidate> {
        let ids = 0..;
        ids.zip(self.views(demand, now))
            .filter(|(id, (endpoint, _))| is_wanted(*id, endpoint))
            .map(|(id, (endpoint, view))| endpoint.candidate(id, view))
            .collect()
    }

    fn views<'a>(
        &'a self,
        demand: Option<&'a Demand>,
        now: Instant,
    ) -> impl Iterator<Item = (&'a Arc<Endpoint>, View<'a>)> {
        let slow_start = self.config.health.slow_start;
        let views = self.config.endpoints.iter().map(move |endpoint| View {
            weight: endpoint.weight,
            slow_start,
            demand,
            now,
        });
        self.endpoints.iter().zip(views)
    }

    /// How the pool's endpoints are, for operators.
    pub fn reports(&self) -> impl Iterator<Item = Report> {
        self.views(None, Instant::now())
            .map(|(endpoint, view)| endpoint.report(view))
    }

    /// Learns that an exchange on the endpoint of this id failed, by a fault of
    /// the endpoint. Too many in a row eject it, though never more than half of
    /// the pool: many that fail alike have a cause that the rest will not mend.
    pub fn failed(&self, id: u32, now: Instant) {
        let ejected =
            |endpoint: &&Arc<Endpoint>| endpoint.standing(|known, _| known.is_ejected(now));
        let out = self.endpoints.iter().filter(ejected).count();
        let may = (out + 1) * 2 <= self.endpoints.len();
        let endpoint = &self.endpoints[id as usize];
        let eject_after = self.config.health.eject_after;
        if endpoint.standing(|known, _| known.failed(eject_after, may, now)) {
            tracing::warn!(
                pool = &*self.name,
                endpoint = &*endpoint.url,
                "ejected: exchanges failed in a row"
            );
        }
    }

    /// An endpoint's URL.
    pub fn endpoint_name(&self, id: u32) -> Option<Arc<str>> {
        let endpoint = self.endpoints.get(usize::try_from(id).ok()?)?;
        Some(endpoint.url.clone())
    }
}
