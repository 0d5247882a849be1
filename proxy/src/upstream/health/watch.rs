//! One endpoint under watch: tasks that ask it again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::Meters;
use super::probe::Probe;
use crate::config;
use crate::upstream::{Connector, Endpoint, Pool};

/// Asks an endpoint until it is dropped.
pub(super) struct Watch {
    endpoint: Arc<Endpoint>,
    /// The pool that says how it is asked.
    pool: Arc<str>,
    config: config::Pool,
    tasks: Vec<Task>,
}

/// A task that ends when it is dropped.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Watch {
    /// Begins to ask, as a pool has it.
    pub(super) fn start(
        endpoint: &Arc<Endpoint>,
        pool: &Pool,
        connector: &Arc<Connector>,
        meters: &Arc<Meters>,
    ) -> Self {
        let probe = Arc::new(Probe {
            endpoint: endpoint.clone(),
            protocol: pool.config.protocol,
            health: pool.config.health.clone(),
            labels: [pool.name.clone(), endpoint.url.clone()],
            connector: connector.clone(),
            meters: meters.clone(),
        });
        let mut watch = Self {
            endpoint: endpoint.clone(),
            pool: pool.name.clone(),
            config: pool.config.clone(),
            tasks: Vec::new(),
        };
        watch.check(&probe);
        watch.scrape(probe);
        watch
    }

    /// Whether it goes on and asks this endpoint as the pool has it.
    pub(super) fn still_suits(&self, endpoint: &Arc<Endpoint>, pool: &Pool) -> bool {
        let goes_on = !self.tasks.iter().any(|task| task.0.is_finished());
        let as_it_has = self.pool == pool.name
            && self.config.protocol == pool.config.protocol
            && self.config.health == pool.config.health;
        goes_on && as_it_has && Arc::ptr_eq(&self.endpoint, endpoint)
    }

    fn check(&mut self, probe: &Arc<Probe>) {
        let Some(interval) = probe.health.interval else {
            return self.endpoint.standing(|standing, _| standing.unchecked());
        };
        let (probe, endpoint) = (probe.clone(), self.endpoint.clone());
        self.spawn(async move {
            loop {
                probe.check().await;
                let is_out = endpoint.standing(|known, _| known.check_failure().is_some());
                let until_next = if is_out {
                    interval.min(RECHECK)
                } else {
                    interval
                };
                pause(until_next).await;
            }
        });
    }

    fn scrape(&mut self, probe: Arc<Probe>) {
        let Some(path) = probe.health.scrape.clone() else {
            return;
        };
        self.spawn(async move {
            loop {
                probe.scrape(&path).await;
                pause(probe.health.scrape_interval).await;
            }
        });
    }

    fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(Task(tokio::spawn(work)));
    }
}

/// Longest time between two checks of an endpoint that they keep out.
const RECHECK: Duration = Duration::from_secs(1);

/// Waits for about so long: who began together drifts apart.
async fn pause(interval: Duration) {
    let factor = rand::random_range(0.9..1.1);
    tokio::time::sleep(interval.mul_f64(factor)).await;
}
