//! The limit of one pool, and what it is set by.

use std::mem;

use headworks_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Gradient;

/// The limit while the best time is measured, and the least it comes to.
const LEAST: u32 = 3;
/// The most it comes to.
const MOST: u32 = 1000;
/// So many requests measure the best time.
const MEASURED: usize = 50;
/// How many times the best time is as good.
const BUFFER: f64 = 1.25;
/// How much later than it is due measuring may begin.
const JITTER: f64 = 0.15;
/// So many windows in a row with the least limit make the best time doubtful.
const DOUBTFUL: u32 = 5;

/// Times are in milliseconds, on the monotonic clock.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Controller {
    limit: u32,
    /// None while it is measured.
    best: Option<f64>,
    /// When measuring began. Who came before was among more.
    begun: f64,
    measure_at: f64,
    window_ends: f64,
    /// How long requests took, of this window.
    samples: Vec<f64>,
    /// Windows in a row with the least limit.
    at_least: u32,
}

impl Controller {
    /// How many requests may be in flight.
    pub(crate) fn limit(&self) -> u32 {
        self.best.map_or(LEAST, |_| self.limit.max(LEAST))
    }

    /// A request has ended now and took so long.
    pub(crate) fn learn(&mut self, took: Duration, now: Duration, every: &Gradient) {
        let [took, now] = [took, now].map(|time| time.as_secs_f64() * 1000.0);
        if now - took >= self.begun {
            self.samples.push(took);
        }
        match self.best {
            None if self.samples.len() >= MEASURED => {
                self.best = Some(self.take_median());
                let delay = 1.0 + JITTER * random::unit();
                self.measure_at = now + f64::from(every.measure_every_ms) * delay;
            }
            Some(best) if now >= self.window_ends && !self.samples.is_empty() => {
                let sample = self.take_median();
                self.set_limit(BUFFER * best / sample);
                if now >= self.measure_at || self.at_least == DOUBTFUL {
                    (self.best, self.begun, self.at_least) = (None, now, 0);
                }
            }
            _ => return,
        }
        self.window_ends = now + f64::from(every.window_ms);
    }

    fn set_limit(&mut self, gradient: f64) {
        let old = self.limit();
        let scaled = f64::from(old) * gradient.clamp(0.5, 2.0);
        // The square root is headroom: what a limit grows by where all is well.
        self.limit = ((scaled + scaled.sqrt()) as u32).clamp(LEAST, MOST);
        let is_stuck = (old, self.limit) == (LEAST, LEAST);
        self.at_least = if is_stuck { self.at_least + 1 } else { 0 };
    }

    fn take_median(&mut self) -> f64 {
        let mut samples = mem::take(&mut self.samples);
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    }
}
