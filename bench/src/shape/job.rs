//! What is to be run.

use std::fmt;

use super::policy::Policy;
use super::scenario::Case;

/// A run to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    /// What happens.
    pub(crate) case: &'static Case,
    /// Under which policy.
    pub(crate) policy: Policy,
    /// Requests a second, or users.
    pub(crate) rate: f64,
    /// Which arrivals.
    pub(crate) seed: u64,
    /// Length as a multiple of what the case asks for.
    pub(crate) scale: f64,
}

impl Job {
    /// How long a run takes, seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.case.span(self.scale).whole()
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            case,
            policy,
            rate,
            seed,
            ..
        } = self;
        write!(f, "{} at {rate} under {policy}, seed {seed}", case.id)
    }
}
