//! Tells a StatsD daemon what happened since it was last told, every second and
//! from a thread of its own; requests only leave their numbers behind.

mod daemon;
mod lines;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use parking_lot::Mutex;

use super::cell::Count;
use super::metrics::Metrics;
use crate::config;

use daemon::Daemon;
pub use daemon::StatsdError;
pub(super) use lines::Lines;

const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// What the cells need to know of the export, and what it lost.
#[derive(Debug, Default)]
pub(super) struct Exporting {
    on: AtomicBool,
    /// Share of timings that are told, of `u32::MAX`.
    sampled: AtomicU32,
    flusher: OnceLock<Thread>,
    /// Uses of label sets beyond the bound.
    pub(super) folded: Arc<Count>,
    /// Timings that came too fast for StatsD.
    pub(super) timings_dropped: Arc<Count>,
    /// Datagrams that the system did not take.
    pub(super) datagrams_failed: Arc<Count>,
}

impl Exporting {
    /// Whether there is a daemon to tell.
    pub(super) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Whether this timing is one of those that are told.
    pub(super) fn samples(&self) -> bool {
        match self.sampled.load(Ordering::Relaxed) {
            u32::MAX => true,
            share => rand::random::<u32>() < share,
        }
    }

    fn sample(&self, rate: f64) {
        let share = (rate * f64::from(u32::MAX)) as u32;
        self.sampled.store(share, Ordering::Relaxed);
    }

    /// Asks for a flush before its time.
    pub(super) fn hurry(&self) {
        if let Some(flusher) = self.flusher.get() {
            flusher.unpark();
        }
    }
}

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
        exporting.sample(config.statsd_sample_rate);
        exporting.on.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// See `Registry::shutdown`.
    pub(super) fn stop(&self) {
        let mut daemon = self.shared.daemon.lock();
        self.shared
            .metrics
            .exporting()
            .on
            .store(false, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use crate::observe::cell::{PENDING, Timings};

    use super::*;

    #[test]
    fn timings_that_come_too_fast_are_counted_as_dropped() {
        let exporting = Exporting::default();
        exporting.sample(1.0);
        exporting.on.store(true, Ordering::Relaxed);
        let timings = Timings::default();
        for _ in 0..PENDING + 5 {
            timings.record(Duration::from_millis(1), &exporting);
        }
        assert_eq!(exporting.timings_dropped.total(), 5);
    }
}
