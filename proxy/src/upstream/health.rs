//! Looks after endpoints: asks each whether it is well, how busy it is and what
//! it is, for as long as it is in use. What comes of it stands with the
//! endpoint; nobody who sends a request waits for it.

mod meters;
mod probe;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Connector, Pools};
pub use meters::Meters;
use watch::Watch;

/// How often it is looked at which endpoints are in use, and shown how they are.
const LOOK: Duration = Duration::from_secs(1);

/// Looks after the endpoints of the pools that are live.
pub async fn look_after(live: impl Fn() -> Arc<Pools>, meters: Arc<Meters>) {
    let mut care = Care {
        // One of its own, so that it waits for nothing that clients cause.
        connector: Arc::new(Connector::new()),
        meters,
        watches: BTreeMap::new(),
        shown: BTreeSet::new(),
    };
    loop {
        let pools = live();
        care.follow(&pools);
        care.show(&pools);
        drop(pools);
        tokio::time::sleep(LOOK).await;
    }
}

struct Care {
    connector: Arc<Connector>,
    meters: Arc<Meters>,
    /// By URL: an endpoint of several pools is watched once.
    watches: BTreeMap<Arc<str>, Watch>,
    /// Pools and endpoints that metrics show.
    shown: BTreeSet<[Arc<str>; 2]>,
}

impl Care {
    /// Watches what is in use, as it is configured, and nothing else.
    fn follow(&mut self, pools: &Pools) {
        let mut before = std::mem::take(&mut self.watches);
        for pool in pools.iter() {
            for endpoint in &pool.endpoints {
                if self.watches.contains_key(&endpoint.url) {
                    continue;
                }
                let watch = before.remove(&endpoint.url);
                let watch = watch.filter(|watch| watch.still_suits(endpoint, pool));
                let watch = watch
                    .unwrap_or_else(|| Watch::start(endpoint, pool, &self.connector, &self.meters));
                self.watches.insert(endpoint.url.clone(), watch);
            }
        }
    }

    /// Shows how endpoints are, those of pools that are gone no more.
    fn show(&mut self, pools: &Pools) {
        let now = Instant::now();
        let mut shown = BTreeSet::new();
        for pool in pools.iter() {
            for endpoint in &pool.endpoints {
                let labels = [pool.name.clone(), endpoint.url.clone()];
                let (is_up, is_drained) = (endpoint.is_up(now), endpoint.is_drained());
                self.meters.show(&labels, is_up, is_drained);
                let ejections = endpoint.standing(|standing, _| standing.take_ejections());
                self.meters.ejected(&labels, ejections);
                shown.insert(labels);
            }
        }
        let gone = self.shown.difference(&shown);
        gone.for_each(|labels| self.meters.forget(labels));
        self.shown = shown;
    }
}
