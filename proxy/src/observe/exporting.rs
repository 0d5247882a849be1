//! Whether there is a StatsD daemon to tell, and what it was not told.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

use super::count::Count;

/// What the cells need to know of the export, and what it lost.
#[derive(Debug, Default)]
pub(super) struct Exporting {
    on: AtomicBool,
    /// Share of timings that are told, of `u32::MAX`.
    sampled: AtomicU32,
    /// Who tells.
    pub(super) flusher: OnceLock<Thread>,
    /// Uses of label sets beyond the bound.
    pub(super) folded: Arc<Count>,
    /// Timings that came too fast for StatsD.
    pub(super) timings_dropped: Arc<Count>,
    /// Datagrams that the system did not take.
    pub(super) datagrams_failed: Arc<Count>,
}

impl Exporting {
    /// There is a daemon to tell, of timings so large a share.
    pub(super) fn start(&self, sample_rate: f64) {
        let share = (sample_rate * f64::from(u32::MAX)) as u32;
        self.sampled.store(share, Ordering::Relaxed);
        self.on.store(true, Ordering::Relaxed);
    }

    /// There is none.
    pub(super) fn stop(&self) {
        self.on.store(false, Ordering::Relaxed);
    }

    /// Whether there is a daemon to tell.
    pub(super) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Whether this timing is one of those that are told.
    pub(super) fn samples(&self) -> bool {
        match self.sampled.load(Ordering::Relaxed) {
            u32::MAX => true,
            share => rand::random::<u32>() < share,
        }
    }

    /// Asks for a flush before its time.
    pub(super) fn hurry(&self) {
        if let Some(flusher) = self.flusher.get() {
            flusher.unpark();
        }
    }
}
