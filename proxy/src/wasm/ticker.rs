//! Moves the engine's epoch on while filters run, so that a running filter
//! comes by the host at every tick. Nearly all calls are over long before one:
//! ticks are far between until one finds a filter running, and the thread
//! sleeps when nothing runs. To wake it costs more than a call.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use wasmtime::{Engine, EngineWeak};

/// How often a filter comes by that was found running.
const TICK: Duration = Duration::from_millis(5);

/// How often it is looked whether one is.
const LOOK: Duration = Duration::from_millis(25);

/// Ticks without use after which the thread goes to sleep. A filter that runs
/// asks for the next tick at each, so one that is still to come is never missed.
const QUIET: u32 = 4;

/// How often a sleeping thread looks whether its engine still exists.
const NAP: Duration = Duration::from_secs(1);

/// Wakes the thread that ticks.
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Default)]
struct Shared {
    /// Somebody waits for the next tick.
    wanted: AtomicBool,
    /// The thread waits to be woken.
    asleep: AtomicBool,
    /// A tick found a filter running.
    running: AtomicBool,
}

impl Ticker {
    /// Starts the thread; it ends with the engine.
    pub(super) fn start(engine: &Engine) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let thread = thread::Builder::new().name("filter-ticker".to_owned());
        let thread = thread.spawn({
            let (shared, engine) = (Arc::clone(&shared), engine.weak());
            move || shared.run(&engine)
        })?;
        Ok(Self {
            shared,
            thread: thread.thread().clone(),
        })
    }

    /// Asks for the next tick. Costs one load, but for the first who asks.
    pub(super) fn ask(&self) {
        if self.shared.wanted.load(Ordering::Relaxed) {
            return;
        }
        // Either we see that the thread is asleep, or it sees this before it sleeps.
        self.shared.wanted.store(true, Ordering::SeqCst);
        if self.shared.asleep.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
    }

    /// A tick found a filter running: the next comes soon.
    pub(super) fn hurry(&self) {
        self.ask();
        if !self.shared.running.swap(true, Ordering::SeqCst) {
            self.thread.unpark();
        }
    }
}

impl Shared {
    fn run(&self, engine: &EngineWeak) {
        while self.tick_until_quiet(engine) && self.sleep_until_wanted(engine) {}
    }

    /// Ticks for as long as somebody asks; false when the engine is gone.
    fn tick_until_quiet(&self, engine: &EngineWeak) -> bool {
        let mut quiet = 0;
        while quiet < QUIET {
            self.pause();
            let Some(engine) = engine.upgrade() else {
                return false;
            };
            let wanted = self.wanted.swap(false, Ordering::SeqCst);
            quiet = if wanted { 0 } else { quiet + 1 };
            engine.increment_epoch();
        }
        true
    }

    /// Waits for the next tick.
    fn pause(&self) {
        let look = Instant::now() + LOOK;
        while !self.running.swap(false, Ordering::SeqCst) {
            let left = look.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::park_timeout(left);
        }
        thread::sleep(TICK);
    }

    /// Sleeps until somebody asks; false when the engine is gone.
    fn sleep_until_wanted(&self, engine: &EngineWeak) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        while self.asleep.load(Ordering::SeqCst) && !self.wanted.load(Ordering::SeqCst) {
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
        for _ in 0..3 {
            wait_until(|| ticker.shared.asleep.load(Ordering::SeqCst));
            ticker.ask();
            wait_until(|| !ticker.shared.wanted.load(Ordering::SeqCst));
        }
    }

    #[test]
    fn it_hurries_while_a_filter_runs() {
        let engine = Engine::default();
        let ticker = Ticker::start(&engine).unwrap();
        ticker.ask();
        for _ in 0..3 {
            ticker.hurry();
            wait_until(|| !ticker.shared.running.load(Ordering::SeqCst));
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
