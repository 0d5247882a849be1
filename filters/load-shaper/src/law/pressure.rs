//! How requests make room for those of higher priority, while such are refused.

use super::fading::Fading;
use super::terms::Priority;

/// By how much the pressure grows with each refusal, and to what.
const PRESSURE: (f64, f64) = (0.04, 0.5);

/// A pressure below this is none: about four seconds after a single refusal.
const TRACE: f64 = 0.01;

/// What requests of each priority put on those below it: of normal and of high.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Pressures(pub(super) [Pressure; 2]);

/// What requests of one priority put on those below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pressure {
    pub(super) weight: Fading,
    /// The least that one of those refused might have taken, over its time on an
    /// idle endpoint.
    pub(super) strain: f64,
}

impl Default for Pressure {
    fn default() -> Self {
        Self {
            weight: Fading::default(),
            strain: f64::MAX,
        }
    }
}

impl Pressures {
    /// What is left of a request's bound. `unloaded` is the time that it takes
    /// on an idle endpoint.
    pub(super) fn on(&self, priority: Priority, bound: f64, unloaded: f64, now: f64) -> f64 {
        let higher = self.0[priority as usize..].iter();
        higher.fold(bound, |least, pressure| {
            least.min(pressure.on(bound, unloaded, now))
        })
    }

    /// A request was refused that might have taken so many times what it takes
    /// on an idle endpoint.
    pub(super) fn refused(&mut self, priority: Priority, strain: f64, now: f64) {
        // There is none below the lowest.
        if let Some(level) = (priority as usize).checked_sub(1) {
            self.0[level].refused(strain, now);
        }
    }
}

impl Pressure {
    /// A part of the bound goes. And no matter how long the request may take, it
    /// is held to the load at which those above it would be answered in time:
    /// else whoever has hours would fill every endpoint.
    fn on(&self, bound: f64, unloaded: f64, now: f64) -> f64 {
        let weight = self.weight.after(now);
        if weight < TRACE {
            return bound;
        }
        bound.min(self.strain * unloaded) * (1.0 - weight)
    }

    fn refused(&mut self, strain: f64, now: f64) {
        let before = match self.weight.after(now) < TRACE {
            true => f64::MAX,
            false => self.strain,
        };
        self.strain = before.min(strain);
        self.weight.add(PRESSURE.0, PRESSURE.1, now);
    }
}
