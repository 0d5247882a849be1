//! A number that only grows.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts up.
#[derive(Debug, Default)]
pub struct Count {
    total: AtomicU64,
    told: AtomicU64,
}

impl Count {
    /// Counts `by` more.
    pub fn add(&self, by: u64) {
        self.total.fetch_add(by, Ordering::Relaxed);
    }

    /// What it has come to.
    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// What StatsD has not been told.
    pub(super) fn untold(&self) -> u64 {
        self.total().wrapping_sub(self.told.load(Ordering::Relaxed))
    }

    /// StatsD has been told so much more, or is not to be.
    pub(super) fn tell(&self, more: u64) {
        self.told.fetch_add(more, Ordering::Relaxed);
    }
}
