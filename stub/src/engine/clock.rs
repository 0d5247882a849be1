//! The pass clock: one thread that makes passes on an absolute schedule, so
//! that the jitter of waking up does not add up.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, StandardNormal};

use super::{Card, Engine};
use crate::profile::Load;

/// Later than this and the schedule starts anew instead of catching up.
const GIVE_UP: Duration = Duration::from_millis(50);

impl Engine {
    /// Starts the clock thread.
    pub(crate) fn start_clock(
        self: &Arc<Self>,
        seed: u64,
    ) -> std::io::Result<thread::JoinHandle<()>> {
        let engine = self.clone();
        thread::Builder::new()
            .name("stub-clock".to_owned())
            .spawn(move || {
                Clock {
                    engine: &engine,
                    due: Instant::now(),
                    random: SmallRng::seed_from_u64(seed),
                }
                .run();
            })
    }
}

struct Clock<'a> {
    engine: &'a Engine,
    due: Instant,
    random: SmallRng,
}

impl Clock<'_> {
    fn run(mut self) {
        let engine = self.engine;
        let mut card = engine.card.lock();
        while let Some(load) = self.next_pass(&mut card) {
            let length = self.pass_length(load);
            if !engine.timing.is_instant() {
                self.due += length;
                self.sleep_until_due(&mut card);
                self.wait_out_stall(&mut card);
            }
            engine.finish(&mut card, load, length);
        }
    }

    /// Waits for something to compute; `None` when the engine stops.
    fn next_pass(&mut self, card: &mut MutexGuard<'_, Card>) -> Option<Load> {
        loop {
            self.wait_out_stall(card);
            if card.stopped {
                return None;
            }
            if let Some(load) = card.batch.begin() {
                return Some(load);
            }
            self.idle(card);
        }
    }

    fn idle(&mut self, card: &mut MutexGuard<'_, Card>) {
        self.mark_busy(false);
        card.idle = true;
        while card.idle && !card.stopped {
            self.engine.changed.wait(card);
        }
        self.mark_busy(true);
        self.due = Instant::now();
    }

    fn mark_busy(&self, busy: bool) {
        if let Some(group) = &self.engine.group {
            group.mark(busy);
        }
    }

    fn pass_length(&mut self, load: Load) -> Duration {
        let noise = StandardNormal.sample(&mut self.random);
        let sharing = self.engine.group.as_ref().map_or(1, super::Group::busy);
        let slowness = self.engine.faults.slowness(Instant::now()) * f64::from(sharing);
        self.engine
            .timing
            .pass(load, noise)
            .mul_f64(slowness / self.engine.speed)
    }

    fn sleep_until_due(&mut self, card: &mut MutexGuard<'_, Card>) {
        while !card.stopped && !self.engine.changed.wait_until(card, self.due).timed_out() {}
        let late = self.due.elapsed();
        card.passes += 1;
        card.late += late;
        card.latest = card.latest.max(late);
        if late > GIVE_UP {
            self.due = Instant::now();
        }
    }

    fn wait_out_stall(&mut self, card: &mut MutexGuard<'_, Card>) {
        while let Some(stall) = self.engine.faults.stall(Instant::now()) {
            if card.stopped {
                return;
            }
            match stall.until {
                Some(end) => {
                    self.engine.changed.wait_until(card, end);
                }
                None => self.engine.changed.wait(card),
            }
            self.due = Instant::now();
        }
    }
}
