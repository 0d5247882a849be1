//! How fast an endpoint was lately.

use std::time::Duration;

/// Weight of the newest observation in the averages.
const NEWEST: f64 = 0.15;

/// Averages of what was observed; zero before that.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pace {
    ttft: Duration,
    per_token: Duration,
}

impl Pace {
    /// Learns from an exchange.
    pub(super) fn observe(&mut self, ttft: Duration, per_token: Duration) {
        self.ttft = blend(self.ttft, ttft);
        self.per_token = blend(self.per_token, per_token);
    }

    /// How long the first token takes.
    pub(super) fn first_token(&self) -> Duration {
        self.ttft
    }

    /// How long an answer of so many tokens takes.
    pub(super) fn tokens(&self, count: u32) -> Duration {
        self.ttft + self.per_token * count
    }
}

fn blend(average: Duration, newest: Duration) -> Duration {
    if average.is_zero() {
        return newest;
    }
    average.mul_f64(1.0 - NEWEST) + newest.mul_f64(NEWEST)
}

/// Microseconds, as many as fit.
pub(super) fn micros(duration: Duration) -> u32 {
    duration.as_micros().try_into().unwrap_or(u32::MAX)
}
