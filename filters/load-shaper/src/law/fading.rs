//! A number that fades.

/// Seconds in which it falls to 1/e, about a third.
const FADES: f64 = 3.0;

/// Grows when something happens, and falls while it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Fading {
    pub(super) value: f64,
    /// When it had that value, in seconds.
    pub(super) at: f64,
}

impl Fading {
    pub(super) fn after(&self, now: f64) -> f64 {
        self.value * (-(now - self.at).max(0.0) / FADES).exp()
    }

    /// Grows, to `most` at most.
    pub(super) fn add(&mut self, more: f64, most: f64, now: f64) {
        self.value = (self.after(now) + more).min(most);
        self.at = self.at.max(now);
    }
}
