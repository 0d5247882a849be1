//! What one label set of a metric holds: a count, a level or timings. Each
//! knows how to show itself to Prometheus and what StatsD has not been told.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::histogram::Histogram;

use super::count::Count;
use super::exporting::Exporting;
use super::name::{Kind, Spelled};
use super::statsd_lines::Lines;

/// Upper bounds of buckets, seconds: from what the gateway itself takes to a long
/// generation, with the objective that many have among them.
const BUCKETS: [f64; 19] = [
    0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0,
    20.0, 30.0, 60.0, 120.0,
];

/// Timings kept for StatsD between two flushes; half of it asks for a flush.
const PENDING: usize = 8192;

/// The value of one label set.
pub trait Cell: Default + Send + Sync + 'static {
    /// What a metric of such cells is.
    const KIND: Kind;

    /// Shows itself to Prometheus.
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result;

    /// Tells StatsD what it has not been told.
    fn export(&self, name: &Spelled, lines: &mut Lines<'_>);

    /// Leaves untold what StatsD has not been told.
    fn skip(&self);
}

impl Cell for Count {
    const KIND: Kind = Kind::Counter;

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_counter::<NoLabelSet, _, u64>(&self.total(), None)
    }

    fn export(&self, name: &Spelled, lines: &mut Lines<'_>) {
        let delta = self.untold();
        // What could not be written is part of the next delta.
        if delta > 0 && lines.count(name, delta).is_ok() {
            self.tell(delta);
        }
    }

    fn skip(&self) {
        self.tell(self.untold());
    }
}

/// Goes up and down.
#[derive(Debug, Default)]
pub struct Level(AtomicI64);

impl Level {
    /// Sets the level.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Changes the level by so much, and tells what it is then.
    pub fn add(&self, by: i64) -> i64 {
        self.0.fetch_add(by, Ordering::SeqCst) + by
    }

    /// What the level is.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Cell for Level {
    const KIND: Kind = Kind::Gauge;

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_gauge(&self.0.load(Ordering::Relaxed))
    }

    // Told at every flush, so that a lost datagram is made good by the next.
    fn export(&self, name: &Spelled, lines: &mut Lines<'_>) {
        let _ = lines.level(name, self.0.load(Ordering::Relaxed));
    }

    fn skip(&self) {}
}

/// A histogram of durations.
#[derive(Debug)]
pub struct Timings {
    histogram: Histogram,
    pending: Mutex<Vec<Duration>>,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            histogram: Histogram::new(BUCKETS),
            pending: Mutex::default(),
        }
    }
}

impl Timings {
    pub(super) fn record(&self, elapsed: Duration, exporting: &Exporting) {
        self.histogram.observe(elapsed.as_secs_f64());
        if !exporting.is_on() || !exporting.samples() {
            return;
        }
        let mut pending = self.pending.lock();
        if pending.len() == PENDING {
            return exporting.timings_dropped.add(1);
        }
        pending.push(elapsed);
        if pending.len() == PENDING / 2 {
            exporting.hurry();
        }
    }
}

impl Cell for Timings {
    const KIND: Kind = Kind::Timer;

    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        EncodeMetric::encode(&self.histogram, encoder)
    }

    fn export(&self, name: &Spelled, lines: &mut Lines<'_>) {
        let pending = std::mem::take(&mut *self.pending.lock());
        for elapsed in pending {
            if lines.timing(name, elapsed).is_err() {
                lines.exporting.timings_dropped.add(1);
            }
        }
    }

    fn skip(&self) {
        self.pending.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timings_that_come_too_fast_are_counted_as_dropped() {
        let exporting = Exporting::default();
        exporting.start(1.0);
        let timings = Timings::default();
        for _ in 0..PENDING + 5 {
            timings.record(Duration::from_millis(1), &exporting);
        }
        assert_eq!(exporting.timings_dropped.total(), 5);
    }
}
