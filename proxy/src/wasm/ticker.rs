//! The clock of deadlines: a thread that moves the engine's epoch on while
//! filters run. It sleeps when nothing has run for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// How far the epoch moves on: a call overstays its deadline by this at most.
const TICK: Duration = Duration::from_millis(2);

/// How often a sleeping ticker looks whether its engine still exists.
const NAP: Duration = Duration::from_secs(1);

/// Wakes the thread that ticks.
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Default)]
struct Shared {
    /// A call began since the last tick.
    used: AtomicBool,
    /// The thread waits to be woken.
    asleep: AtomicBool,
    /// The longest deadline of all, ticks.
    longest: AtomicU64,
}

/// A deadline in ticks from the start of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticks(pub(super) u64);

impl Ticker {
    /// Starts the thread; it ends with the engine.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = thread::Builder::new()
            .name("filter-ticker".to_owned())
            .spawn({
                let (shared, engine) = (Arc::clone(&shared), engine.weak());
                move || shared.run(&engine)
            })?;
        Ok(Self {
            shared,
            thread: thread.thread().clone(),
        })
    }

    /// A deadline in ticks. The tick under way when a call begins does not count.
    pub(super) fn deadline(&self, deadline: Duration) -> Ticks {
        let ticks = deadline.as_nanos().div_ceil(TICK.as_nanos());
        let ticks = u64::try_from(ticks)
            .unwrap_or(u64::MAX / 2)
            .min(u64::MAX / 2)
            + 1;
        self.shared.longest.fetch_max(ticks, Ordering::Relaxed);
        Ticks(ticks)
    }

    /// To be called before every call into a filter. Costs one load, but for
    /// the first call after a tick.
    pub(super) fn call_begins(&self) {
        if self.shared.used.load(Ordering::Relaxed) {
            return;
        }
        // Either we see that the thread is asleep, or it sees our use before it sleeps.
        self.shared.used.store(true, Ordering::SeqCst);
        if self.shared.asleep.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
    }
}

impl Shared {
    fn run(&self, engine: &EngineWeak) {
        while self.tick_until_quiet(engine) && self.sleep_until_used(engine) {}
    }

    /// Ticks until no call can be running any more; false when the engine is gone.
    fn tick_until_quiet(&self, engine: &EngineWeak) -> bool {
        let mut quiet = 0;
        while quiet <= self.longest.load(Ordering::Relaxed) {
            thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else {
                return false;
            };
            engine.increment_epoch();
            quiet = if self.used.swap(false, Ordering::SeqCst) {
                0
            } else {
                quiet + 1
            };
        }
        true
    }

    /// Sleeps until a call begins; false when the engine is gone.
    fn sleep_until_used(&self, engine: &EngineWeak) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        while self.asleep.load(Ordering::SeqCst) && !self.used.load(Ordering::SeqCst) {
            thread::park_timeout(NAP);
            if engine.upgrade().is_none() {
                return false;
            }
        }
        self.asleep.store(false, Ordering::SeqCst);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_until(condition: impl Fn() -> bool) {
        while !condition() {
            thread::yield_now();
        }
    }

    #[test]
    fn it_sleeps_when_nothing_runs_and_wakes_for_a_call() {
        let engine = Engine::default();
        let ticker = Ticker::start(&engine).unwrap();
        assert_eq!(ticker.deadline(Duration::from_millis(9)).0, 6);
        for _ in 0..3 {
            wait_until(|| ticker.shared.asleep.load(Ordering::SeqCst));
            ticker.call_begins();
            // A tick takes the mark of use away.
            wait_until(|| !ticker.shared.used.load(Ordering::SeqCst));
        }
    }

    #[test]
    fn it_ends_with_its_engine() {
        let engine = Engine::default();
        let ticker = Ticker::start(&engine).unwrap();
        drop(engine);
        wait_until(|| Arc::strong_count(&ticker.shared) == 1);
    }
}
