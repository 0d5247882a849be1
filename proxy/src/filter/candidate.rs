//! An endpoint as a filter sees it.

use std::time::Duration;

/// The weight of an endpoint that is configured with weight 1 and has its full
/// share: a tenth of it is still a whole number.
pub const WEIGHT: u32 = 10;

/// Mark of an endpoint on which one exchange is wanted, to see how it does.
pub const PROBE: u32 = 1;

/// Mark of an endpoint whose share still grows.
pub const SLOW_START: u32 = 2;

/// Mark of an endpoint on which the request would push one that runs past its
/// objective.
pub const MAKES_LATE: u32 = 4;

/// Mark of an endpoint that is idle, and of which nothing was heard lately.
pub const SILENT: u32 = 8;

/// What the host thinks of an endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Answers.
    #[default]
    Up,
    /// Answers, but suspect.
    Degraded,
    /// Does not answer.
    Down,
}

/// One endpoint as a filter sees it: `types.candidate` of the WIT contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Index into the pool's endpoints.
    pub id: u32,
    /// What the host thinks of it.
    pub health: Health,
    /// Exchanges now running on it.
    pub in_flight: u32,
    /// Tokens those exchanges may still cost.
    pub outstanding_tokens: u32,
    /// The engine's own queue, 0 when not scraped.
    pub queue_depth: u32,
    /// Predicted time to first token, microseconds; 0 before any observation, as
    /// all that are predicted.
    pub predicted_ttft_us: u32,
    /// Predicted time to the last token of an answer of expected length,
    /// microseconds.
    pub predicted_e2e_us: u32,
    /// The same of an answer as long as nine of ten are at most.
    pub predicted_usual_us: u32,
    /// The same of that one on the endpoint at its best, with nothing else to do.
    pub unloaded_us: u32,
    /// The part of these times in which the prompt is read.
    pub prefill_us: u32,
    /// By how much the request would delay what runs, all together.
    pub inflicted_us: u32,
    /// One new token on the endpoint at its best, with nothing else to do.
    pub step_us: u32,
    /// Free key/value cache, tokens; `u32::MAX` when unknown.
    pub free_kv_tokens: u32,
    /// Prompt tokens believed cached there.
    pub prefix_hit_tokens: u32,
    /// Its share relative to other candidates: `WEIGHT` for each 1 of the
    /// configuration, down to a tenth of it in slow start.
    pub weight: u32,
    /// Bit set of `PROBE`, `SLOW_START`, `MAKES_LATE` and `SILENT`.
    pub marks: u32,
}

impl Candidate {
    /// Until the last token of an answer of expected length, where it is known.
    pub fn predicted(&self) -> Option<Duration> {
        let micros = self.predicted_e2e_us;
        (micros > 0).then(|| Duration::from_micros(micros.into()))
    }

    /// Whether one exchange is wanted on it, to see how it does.
    pub fn wants_probe(&self) -> bool {
        self.marks & PROBE != 0
    }
}

/// The weight shown of an endpoint with a weight in the configuration, 65,535
/// at most, and a share from 0 to 1.
pub fn weight(configured: u32, share: f64) -> u32 {
    let weight = f64::from(configured.saturating_mul(WEIGHT)) * share;
    (weight.round() as u32).max(1)
}
