//! How many requests may be sent twice. Retries help when one endpoint fails and
//! harm when all are overloaded, so they are a share of what is asked
//! (Beyer et al., Site Reliability Engineering, ch. 22).

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What one retry costs; a request brings in its percentage of it.
const RETRY: u32 = 100;

/// Most that is saved: so many retries may follow a quiet time at once.
const SAVED: u32 = 10 * RETRY;

/// The retries that a pool has left. It outlives reloads.
#[derive(Debug)]
pub struct Retries(AtomicU32);

impl Default for Retries {
    fn default() -> Self {
        Self(AtomicU32::new(SAVED))
    }
}

impl Retries {
    /// A request came in, of which `percent` may be retried.
    pub fn earn(&self, percent: u32) {
        let saved = |saved: u32| Some(saved.saturating_add(percent).min(SAVED));
        self.0.fetch_update(Relaxed, Relaxed, saved).ok();
    }

    /// Spends one retry, if there is one.
    pub fn spend(&self) -> bool {
        let spent = self
            .0
            .fetch_update(Relaxed, Relaxed, |saved| saved.checked_sub(RETRY));
        spent.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_in_ten_may_be_retried_after_what_was_saved() {
        let retries = Retries::default();
        let mut spent = 0;
        for _ in 0..1000 {
            retries.earn(10);
            spent += u32::from(retries.spend());
        }
        // The first brings nothing in: what is saved is all that can be.
        assert_eq!(spent, 109);
    }

    #[test]
    fn with_no_share_nothing_is_earned() {
        let retries = Retries::default();
        while retries.spend() {}
        retries.earn(0);
        assert!(!retries.spend());
    }
}
