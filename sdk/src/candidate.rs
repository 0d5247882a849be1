//! One endpoint of a pool, as the host sees it at this instant.

use std::time::Duration;

const PROBE: u32 = 1;
const SLOW_START: u32 = 2;
const MAKES_LATE: u32 = 4;
const SILENT: u32 = 8;

/// What the host thinks of an endpoint; better ones compare as less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// Answers as it should.
    #[default]
    Up,
    /// Answers, but suspect: recent failures, or slower than its own past.
    Degraded,
    /// Does not answer; place nothing here unless there is nothing else.
    Down,
}

/// An endpoint that [`place`](crate::Filter::place) may choose.
///
/// The numbers are the host's; where one of them may be unknown, the method of
/// the same name says so in its type. What is predicted is of this very request,
/// and unknown until the endpoint has been observed. Tests build candidates from
/// the default: healthy, idle, weight 1, nothing predicted.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// let busy = Candidate { id: 1, outstanding_tokens: 9000, ..Candidate::default() };
/// assert_eq!(busy.health, Health::Up);
/// assert_eq!(busy.predicted_ttft(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Stable within the pool for as long as the filter's generation lives.
    pub id: u32,
    /// What the host thinks of the endpoint.
    pub health: Health,
    /// Exchanges of this gateway now running there.
    pub in_flight: u32,
    /// Tokens that those may still cost: prompts not yet prefilled plus new
    /// tokens not yet generated.
    pub outstanding_tokens: u32,
    /// The engine's own queue, 0 when it is not scraped.
    pub queue_depth: u32,
    /// Predicted time to this request's first token, microseconds; 0 unknown.
    pub predicted_ttft_us: u32,
    /// Predicted time to its last token, if the answer is as long as expected,
    /// microseconds; 0 unknown.
    pub predicted_e2e_us: u32,
    /// The same if the answer is as long as nine of ten such answers are at
    /// most, microseconds; 0 unknown.
    pub predicted_usual_us: u32,
    /// The same of that one on the endpoint at its best, with nothing else to
    /// do, microseconds; 0 unknown.
    pub unloaded_us: u32,
    /// The part of these times in which the prompt is read, microseconds.
    pub prefill_us: u32,
    /// By how much the request would delay what runs, all together, microseconds.
    pub inflicted_us: u32,
    /// One new token on the endpoint at its best, with nothing else to do,
    /// microseconds; 0 unknown.
    pub step_us: u32,
    /// Key/value cache still free, tokens; the largest `u32` when unknown.
    pub free_kv_tokens: u32,
    /// Prompt tokens believed to be in the endpoint's prefix cache.
    pub prefix_hit_tokens: u32,
    /// Share of the traffic relative to the other candidates: ten for each 1 of
    /// the configured weight, and less in slow start. Only its ratio to others
    /// means something.
    pub weight: u32,
    /// Bit set, read by [`wants_probe`](Self::wants_probe) (1),
    /// [`slow_start`](Self::slow_start) (2), [`makes_late`](Self::makes_late) (4)
    /// and [`is_silent`](Self::is_silent) (8).
    pub marks: u32,
}

impl Candidate {
    /// Predicted time to this request's first token.
    #[must_use]
    pub fn predicted_ttft(&self) -> Option<Duration> {
        known(self.predicted_ttft_us)
    }

    /// Predicted time to this request's last token.
    #[must_use]
    pub fn predicted_e2e(&self) -> Option<Duration> {
        known(self.predicted_e2e_us)
    }

    /// Predicted time to the last token of an answer as long as nine of ten such
    /// answers are at most: what to hold against an objective that nearly all
    /// should meet.
    #[must_use]
    pub fn predicted_usual(&self) -> Option<Duration> {
        known(self.predicted_usual_us)
    }

    /// [`predicted_usual`](Self::predicted_usual) on the endpoint at its best,
    /// with nothing else to do.
    ///
    /// ```
    /// use headworks_sdk::prelude::*;
    ///
    /// /// Whether the request is answered in time where nothing else runs.
    /// fn is_possible(at: &Candidate, objective: Duration) -> bool {
    ///     at.unloaded().is_none_or(|best| best <= objective)
    /// }
    /// # assert!(is_possible(&Candidate::default(), Duration::from_secs(1)));
    /// ```
    #[must_use]
    pub fn unloaded(&self) -> Option<Duration> {
        known(self.unloaded_us)
    }

    /// Key/value cache still free, in tokens.
    #[must_use]
    pub fn free_kv(&self) -> Option<u32> {
        (self.free_kv_tokens != u32::MAX).then_some(self.free_kv_tokens)
    }

    /// Whether the host would like one request here, to see how it does.
    #[must_use]
    pub fn wants_probe(&self) -> bool {
        self.marks & PROBE != 0
    }

    /// Whether the endpoint is new or back, and its share still grows: its weight
    /// has less than it is configured with.
    #[must_use]
    pub fn slow_start(&self) -> bool {
        self.marks & SLOW_START != 0
    }

    /// Whether this request would push one that runs there past its objective,
    /// which that one would meet without it.
    #[must_use]
    pub fn makes_late(&self) -> bool {
        self.marks & MAKES_LATE != 0
    }

    /// Whether the endpoint is idle and nothing was heard of it lately: what is
    /// predicted of it may be out of date.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.marks & SILENT != 0
    }
}

impl Default for Candidate {
    fn default() -> Self {
        Self {
            id: 0,
            health: Health::Up,
            in_flight: 0,
            outstanding_tokens: 0,
            queue_depth: 0,
            predicted_ttft_us: 0,
            predicted_e2e_us: 0,
            predicted_usual_us: 0,
            unloaded_us: 0,
            prefill_us: 0,
            inflicted_us: 0,
            step_us: 0,
            free_kv_tokens: u32::MAX,
            prefix_hit_tokens: 0,
            weight: 1,
            marks: 0,
        }
    }
}

fn known(micros: u32) -> Option<Duration> {
    (micros != 0).then(|| Duration::from_micros(micros.into()))
}
