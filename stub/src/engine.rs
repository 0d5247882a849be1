//! The running batch behind the API: requests are submitted to it, passes are
//! made by the clock thread, or by the readers themselves when passes cost no time.

mod clock;
mod ticket;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serde::Serialize;

use crate::batch::{Batch, Occupancy, Sequence};
use crate::faults::Faults;
use crate::group::Group;
use crate::metrics::{Metrics, Scale};
use crate::profile::{Load, Timing};
use ticket::Progress;
pub(crate) use ticket::Ticket;

/// What a request asks of the card.
#[derive(Debug)]
pub(crate) struct Order {
    /// Tokens of the prompt.
    pub input: u32,
    /// Tokens of the answer.
    pub output: u32,
    /// Tokens to reserve for the answer.
    pub max_new: u32,
    /// The prompt's blocks, for the prefix cache.
    pub blocks: Vec<u64>,
}

/// How late passes ended, against the absolute schedule.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Lateness {
    /// Passes made by the clock.
    pub passes: u64,
    /// Mean, in milliseconds.
    pub mean_ms: f64,
    /// Worst, in milliseconds.
    pub max_ms: f64,
}

/// The card: its batch, and what drives it.
pub(crate) struct Engine {
    timing: Timing,
    speed: f64,
    group: Option<Group>,
    faults: Arc<Faults>,
    metrics: Arc<Metrics>,
    card: Mutex<Card>,
    changed: Condvar,
    tokens: AtomicU64,
}

struct Card {
    batch: Batch<Arc<Progress>>,
    idle: bool,
    stopped: bool,
    passes: u64,
    late: Duration,
    latest: Duration,
}

impl Engine {
    /// An idle card; `speed` is simulated seconds per real second.
    pub(crate) fn new(
        timing: Timing,
        speed: f64,
        group: Option<Group>,
        faults: Arc<Faults>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let card = Card {
            batch: Batch::new(timing),
            idle: true,
            stopped: false,
            passes: 0,
            late: Duration::ZERO,
            latest: Duration::ZERO,
        };
        Arc::new(Self {
            timing,
            speed,
            group,
            faults,
            metrics,
            card: Mutex::new(card),
            changed: Condvar::new(),
            tokens: AtomicU64::new(0),
        })
    }

    /// Queues an order; the ticket tells when tokens are there.
    pub(crate) fn submit(self: &Arc<Self>, order: Order) -> Ticket {
        let Order {
            input,
            output,
            max_new,
            blocks,
        } = order;
        let progress = Arc::new(Progress::new(output, self.timing.is_instant()));
        let mut card = self.card.lock();
        card.batch.submit(Sequence {
            input,
            output,
            max_new,
            blocks,
            reader: progress.clone(),
        });
        if !self.timing.is_instant() {
            self.rouse(&mut card);
        }
        drop(card);
        Ticket::new(self.clone(), progress)
    }

    /// What is on the card and what waits for it.
    pub(crate) fn occupancy(&self) -> Occupancy {
        self.card.lock().batch.occupancy()
    }

    /// Tokens produced since the start.
    pub(crate) fn tokens(&self) -> u64 {
        self.tokens.load(Ordering::Relaxed)
    }

    /// How well the clock kept its schedule.
    pub(crate) fn lateness(&self) -> Lateness {
        let card = self.card.lock();
        Lateness {
            passes: card.passes,
            mean_ms: card.late.as_secs_f64() * 1e3 / card.passes.max(1) as f64,
            max_ms: card.latest.as_secs_f64() * 1e3,
        }
    }

    /// Has the clock look again at the faults.
    pub(crate) fn faults_changed(&self) {
        let mut card = self.card.lock();
        card.idle = false;
        self.changed.notify_all();
    }

    /// Ends the clock thread.
    pub(crate) fn stop(&self) {
        self.card.lock().stopped = true;
        self.changed.notify_all();
    }

    fn rouse(&self, card: &mut Card) {
        if std::mem::take(&mut card.idle) {
            self.changed.notify_all();
        }
    }

    /// Passes made by a reader until it has what it wants, or nothing moves.
    /// Does nothing unless passes are free.
    fn free_passes(&self, satisfied: impl Fn() -> bool) {
        if !self.timing.is_instant() {
            return;
        }
        let mut card = self.card.lock();
        if self.faults.stall(Instant::now()).is_some() {
            // Only the clock can wait: it wakes the readers when the stall is over.
            self.rouse(&mut card);
            return;
        }
        while !satisfied()
            && let Some(load) = card.batch.begin()
        {
            self.finish(&mut card, load, Duration::ZERO);
        }
    }

    /// A place is given up: seen at the next pass, which free passes would not make by themselves.
    fn reader_left(&self) {
        self.free_passes(|| false);
    }

    fn finish(&self, card: &mut Card, load: Load, took: Duration) {
        let outcome = card.batch.finish();
        self.tokens
            .fetch_add(u64::from(outcome.tokens), Ordering::Relaxed);
        if self.timing.is_instant() {
            return;
        }
        let method = if load.prompt_tokens > 0 {
            "method=\"prefill\""
        } else {
            "method=\"decode\""
        };
        self.metrics.count("tgi_batch_inference_count", method);
        self.metrics.count("tgi_batch_inference_success", method);
        self.metrics.observe(
            "tgi_batch_inference_duration",
            method,
            Scale::Seconds,
            took.as_secs_f64(),
        );
    }
}
