//! The limit of one pool, and what it follows.

use serde::{Deserialize, Serialize};

/// What the limit begins with, and the least it comes to.
const LEAST: f64 = 20.0;
/// The most it comes to.
const MOST: f64 = 200.0;
/// How many times the average is no sign of a queue.
const TOLERANCE: f64 = 1.5;
/// What a limit grows by where there is no queue.
const QUEUE: f64 = 4.0;
/// How much of a new limit is applied at once.
const SMOOTHING: f64 = 0.2;
/// So many requests have a plain mean.
const WARM_UP: u32 = 10;
/// So many the mean reaches back from then on.
const WINDOW: f64 = 600.0;

/// What is known of a pool.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Limit {
    value: f64,
    /// Of the times that requests took, in seconds.
    average: f64,
    seen: u32,
}

impl Limit {
    /// How many requests may be in flight.
    pub(crate) fn value(&self) -> f64 {
        self.value.max(LEAST)
    }

    /// A request that was the last of so many in flight took so long.
    pub(crate) fn learn(&mut self, took: f64, in_flight: f64) {
        self.seen = self.seen.saturating_add(1);
        let weight = match self.seen {
            ..=WARM_UP => 1.0 / f64::from(self.seen),
            _ => 2.0 / (WINDOW + 1.0),
        };
        self.average += (took - self.average) * weight;
        let gradient = (TOLERANCE * self.average / took).clamp(0.5, 1.0);
        // Things are well again, after they were not for long.
        if self.average > 2.0 * took {
            self.average *= 0.95;
        }
        let limit = self.value();
        // A limit that is not half used is none.
        if in_flight >= limit / 2.0 {
            let new = limit * gradient + QUEUE;
            self.value = (limit + (new - limit) * SMOOTHING).clamp(LEAST, MOST);
        }
    }
}
