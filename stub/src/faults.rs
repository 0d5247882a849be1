//! What goes wrong, when, and for whom. Faults are added by hand or from a file
//! and act until their time or their count is used up.

mod fault;

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::sync::Notify;

pub use fault::{Fault, Kind, OneOrMany};

/// The card does nothing, until a time or until the fault is cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stall {
    /// When it ends by itself.
    pub until: Option<Instant>,
}

/// All faults of a server.
pub(crate) struct Faults {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    active: Vec<Active>,
    random: SmallRng,
}

struct Active {
    fault: Fault,
    from: Instant,
    until: Option<Instant>,
    uses_left: Option<u32>,
}

impl Active {
    fn new(fault: Fault, now: Instant) -> Self {
        let from = now + Duration::from_millis(fault.after_ms);
        let until = fault
            .for_ms
            .map(|length| from + Duration::from_millis(length));
        Self {
            from,
            until,
            uses_left: fault.times,
            fault,
        }
    }

    fn acts(&self, now: Instant) -> bool {
        self.from <= now && !self.is_over(now)
    }

    fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now) || self.uses_left == Some(0)
    }
}

impl Faults {
    /// Nothing goes wrong; `seed` decides whom percentages hit.
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            active: Vec::new(),
            random: SmallRng::seed_from_u64(seed),
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    /// Adds faults; their times count from now.
    pub(crate) fn add(&self, faults: impl IntoIterator<Item = Fault>) {
        let now = Instant::now();
        self.state
            .lock()
            .active
            .extend(faults.into_iter().map(|fault| Active::new(fault, now)));
        self.changed.notify_waiters();
    }

    /// Ends all faults, those to come as well.
    pub(crate) fn clear(&self) {
        self.state.lock().active.clear();
        self.changed.notify_waiters();
    }

    /// Faults that act or will act.
    pub(crate) fn list(&self) -> Vec<Fault> {
        let now = Instant::now();
        let state = self.state.lock();
        state
            .active
            .iter()
            .filter(|active| !active.is_over(now))
            .map(|active| active.fault.clone())
            .collect()
    }

    /// The stall at `now`, the one that ends last.
    pub(crate) fn stall(&self, now: Instant) -> Option<Stall> {
        let state = self.state.lock();
        let stalls = state
            .active
            .iter()
            .filter(|active| active.acts(now) && active.fault.kind == Kind::Stall);
        stalls
            .map(|active| Stall {
                until: active.until,
            })
            .max_by_key(|stall| (stall.until.is_none(), stall.until))
    }

    /// By how much passes take longer at `now`.
    pub(crate) fn slowness(&self, now: Instant) -> f64 {
        let factors = |active: &Active| match active.fault.kind {
            Kind::Slow { factor } if active.acts(now) => factor,
            _ => 1.0,
        };
        self.state.lock().active.iter().map(factors).product()
    }

    /// A fault of `kind` acts at `now`.
    pub(crate) fn acts(&self, kind: Kind, now: Instant) -> bool {
        self.state
            .lock()
            .active
            .iter()
            .any(|active| active.acts(now) && active.fault.kind == kind)
    }

    /// What goes wrong with the request that has just come in.
    pub(crate) fn draw(&self) -> Option<Kind> {
        let mut state = self.state.lock();
        if state.active.is_empty() {
            return None;
        }
        let now = Instant::now();
        let State { active, random } = &mut *state;
        let hit = active.iter_mut().find(|active| {
            active.fault.kind.hits_requests()
                && active.acts(now)
                && random.random_range(0.0..100.0) < active.fault.percent
        })?;
        if let Some(left) = &mut hit.uses_left {
            *left -= 1;
        }
        Some(hit.fault.kind)
    }

    /// Returns when the card is not stalled.
    pub(crate) async fn stall_over(&self) {
        loop {
            let changed = self.changed.notified();
            match self.stall(Instant::now()) {
                None => return,
                Some(Stall { until: None }) => changed.await,
                Some(Stall { until: Some(end) }) => {
                    // Either way the state is looked at again.
                    let _ = tokio::time::timeout_at(end.into(), changed).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Faults {
        let faults = Faults::new(1);
        let added: OneOrMany = serde_json::from_str(json).unwrap();
        faults.add(added);
        faults
    }

    #[test]
    fn a_fault_with_a_count_hits_that_many_requests() {
        let faults = faults(r#"{"kind": "refuse", "times": 2}"#);
        assert_eq!((0..5).filter(|_| faults.draw().is_some()).count(), 2);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_percentage_hits_about_that_share() {
        let faults = faults(r#"{"kind": "status", "status": 503, "percent": 20}"#);
        let hits = (0..10_000)
            .filter(|_| faults.draw() == Some(Kind::Status { status: 503 }))
            .count();
        assert!((1_800..2_200).contains(&hits), "{hits}");
    }

    #[test]
    fn a_fault_acts_within_its_window_only() {
        let faults = faults(r#"{"kind": "slow", "factor": 4, "after_ms": 1000, "for_ms": 1000}"#);
        let now = Instant::now();
        let at = |ms| faults.slowness(now + Duration::from_millis(ms));
        assert_eq!([at(0), at(1_500), at(2_500)], [1.0, 4.0, 1.0]);
    }

    #[test]
    fn clearing_ends_a_stall_without_an_end() {
        let faults = faults(r#"[{"kind": "stall"}, {"kind": "freeze_metrics"}]"#);
        assert_eq!(faults.stall(Instant::now()), Some(Stall { until: None }));
        assert!(faults.acts(Kind::FreezeMetrics, Instant::now()));
        faults.clear();
        assert_eq!(faults.stall(Instant::now()), None);
    }
}
