//! Tells a StatsD daemon what happened since it was last told, every second and
//! from a thread of its own; requests only leave their numbers behind.

mod daemon;

use std::io;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::metrics::Metrics;
use crate::config;

use daemon::Daemon;
pub use daemon::StatsdError;

const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Tells one daemon after the other, or none.
#[derive(Debug)]
pub(super) struct Exporter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    metrics: Arc<Metrics>,
    daemon: Mutex<Option<Daemon>>,
}

impl Exporter {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            shared: Arc::new(Shared {
                metrics,
                daemon: Mutex::default(),
            }),
        }
    }

    /// See `Registry::set_statsd`.
    pub(super) fn set_daemon(&self, config: &config::Metrics) -> Result<(), StatsdError> {
        let Some(address) = &config.statsd else {
            self.stop();
            return Ok(());
        };
        let mut daemon = self.shared.daemon.lock();
        if daemon
            .as_ref()
            .is_some_and(|daemon| daemon.config == *config)
        {
            return Ok(());
        }
        let next = Daemon::open(address, config)?;
        self.ensure_flusher()
            .map_err(|source| StatsdError::System {
                address: address.clone(),
                source,
            })?;
        match daemon.replace(next) {
            Some(previous) => previous.tell(&self.shared.metrics),
            None => self
                .shared
                .metrics
                .all()
                .iter()
                .for_each(|metric| metric.skip()),
        }
        let exporting = self.shared.metrics.exporting();
        exporting.start(config.statsd_sample_rate);
        Ok(())
    }

    /// See `Registry::shutdown`.
    pub(super) fn stop(&self) {
        let mut daemon = self.shared.daemon.lock();
        self.shared.metrics.exporting().stop();
        if let Some(last) = daemon.take() {
            last.tell(&self.shared.metrics);
        }
    }

    /// Called with the daemon locked, so there is one flusher at most.
    fn ensure_flusher(&self) -> io::Result<()> {
        let exporting = self.shared.metrics.exporting();
        if exporting.flusher.get().is_some() {
            return Ok(());
        }
        let shared = Arc::downgrade(&self.shared);
        let flusher = thread::Builder::new()
            .name("statsd".to_owned())
            .spawn(move || flush_until_gone(&shared))?;
        exporting.flusher.get_or_init(|| flusher.thread().clone());
        Ok(())
    }
}

fn flush_until_gone(shared: &Weak<Shared>) {
    loop {
        thread::park_timeout(FLUSH_EVERY);
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if let Some(daemon) = &*shared.daemon.lock() {
            daemon.tell(&shared.metrics);
        }
    }
}
