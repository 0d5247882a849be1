//! Takes a filter out that keeps failing, and lets it back when it recovers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use crate::config;

/// Counts a filter's failures. While open, one call in each `cooldown` is let
/// through to see whether the filter has recovered.
pub(super) struct Breaker {
    rule: config::Breaker,
    /// So that a call of a sound filter takes no lock.
    open: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the latest failures were, the oldest first.
    failures: VecDeque<Instant>,
    /// When the next call is let through, while open.
    next_trial: Option<Instant>,
}

impl Breaker {
    /// Closed.
    pub(super) fn new(rule: config::Breaker) -> Self {
        Self {
            rule,
            open: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Whether the filter is to be called.
    pub(super) fn admits(&self) -> bool {
        !self.open.load(Ordering::Relaxed) || self.admits_trial(Instant::now())
    }

    fn admits_trial(&self, now: Instant) -> bool {
        let mut state = self.state.lock();
        match state.next_trial {
            Some(trial) if now < trial => false,
            Some(_) => {
                state.next_trial = Some(now + self.rule.cooldown);
                true
            }
            None => true,
        }
    }

    /// A call went well; true if that closes the breaker.
    pub(super) fn succeeded(&self) -> bool {
        if !self.open.load(Ordering::Relaxed) {
            return false;
        }
        let mut state = self.state.lock();
        *state = State::default();
        self.open.swap(false, Ordering::Relaxed)
    }

    /// A call failed; true if that opens the breaker.
    pub(super) fn failed(&self, now: Instant) -> bool {
        let mut state = self.state.lock();
        let window = self.rule.window;
        state
            .failures
            .retain(|failure| now.duration_since(*failure) < window);
        state.failures.push_back(now);
        if state.failures.len() < self.rule.failures as usize && state.next_trial.is_none() {
            return false;
        }
        state.failures.clear();
        state.next_trial = Some(now + self.rule.cooldown);
        !self.open.swap(true, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> (Breaker, Instant) {
        let rule = config::Breaker {
            failures: 3,
            window: SECOND * 10,
            cooldown: SECOND * 5,
        };
        (Breaker::new(rule), Instant::now())
    }

    #[test]
    fn failures_within_the_window_open_it() {
        let (breaker, now) = breaker();
        assert!(!breaker.failed(now));
        assert!(!breaker.failed(now + SECOND));
        assert!(breaker.admits_trial(now + SECOND));
        assert!(breaker.failed(now + SECOND * 2));
        assert!(!breaker.admits_trial(now + SECOND * 3));
    }

    #[test]
    fn failures_far_apart_do_not() {
        let (breaker, now) = breaker();
        for n in 0..20 {
            assert!(!breaker.failed(now + SECOND * 6 * n));
            assert!(breaker.admits_trial(now + SECOND * 6 * n));
        }
    }

    #[test]
    fn one_call_is_tried_after_the_cooldown() {
        let (breaker, now) = breaker();
        for _ in 0..3 {
            breaker.failed(now);
        }
        assert!(breaker.admits_trial(now + SECOND * 5));
        assert!(!breaker.admits_trial(now + SECOND * 5));
        assert!(!breaker.failed(now + SECOND * 6), "it is open already");
        assert!(!breaker.admits_trial(now + SECOND * 10));
        assert!(breaker.admits_trial(now + SECOND * 11));
        assert!(breaker.succeeded());
        assert!(breaker.admits_trial(now + SECOND * 11));
        assert!(!breaker.succeeded(), "it is closed already");
    }
}
