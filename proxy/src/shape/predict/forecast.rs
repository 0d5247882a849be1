//! What would become of one more request, from the pace and what runs.

use std::time::{Duration, Instant};

use super::flights::Flight;
use super::{Need, Predictor, seconds};

/// What would become of a request; all times are zero before anything was
/// observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prediction {
    /// Until the first token.
    pub ttft: Duration,
    /// Until the last token of an answer of expected length.
    pub whole: Duration,
    /// Until the last token of an answer as long as nine of ten are at most.
    pub whole_usual: Duration,
    /// The same on the endpoint at its best, with nothing else to do.
    pub unloaded: Duration,
    /// One new token on the endpoint at its best, with nothing else to do.
    pub step: Duration,
    /// What reading the prompt takes, a part of `ttft`.
    pub own_prefill: Duration,
    /// By how much it delays what runs: half of `own_prefill` for each of it.
    pub inflicted: Duration,
    /// It would push an answer that is in time past its deadline.
    pub makes_late: bool,
    /// Nothing runs there, and nothing was heard of it lately.
    pub is_idle_without_news: bool,
}

impl Prediction {
    /// Something was observed, so that the times mean something.
    pub fn is_known(&self) -> bool {
        !self.whole.is_zero()
    }
}

/// What is predicted of a request, in seconds.
#[derive(Debug)]
pub(super) struct Outlook {
    mean: f64,
    usual: f64,
    per_token: f64,
    own_prefill: f64,
    /// Tokens of prompts that are read before its own.
    pending: f64,
    wait_for_room: f64,
    unloaded: f64,
    step: f64,
    load: f64,
    makes_late: bool,
    is_known: bool,
    is_guess: bool,
    per_prompt_token: f64,
}

/// What runs, added up.
#[derive(Debug, Default)]
struct Sums {
    pending: f64,
    reserved: f64,
    left: f64,
    makes_late: bool,
}

impl Outlook {
    pub(super) fn of(at: &Predictor, need: &Need, silence: Duration, now: Instant) -> Self {
        let pace = &at.pace;
        let load = at.load();
        let per_token = pace.per_token(load + 1.0, silence);
        let per_prompt_token = pace.per_prompt_token();
        let own_prefill = per_prompt_token * need.uncached();
        let sums = Sums::of(at.flights.iter(), own_prefill, per_token, now);
        let step = pace.unloaded();
        let unloaded = own_prefill + f64::from(need.usual.max(1)) * step;
        Self {
            mean: f64::from(need.mean.max(1)),
            usual: f64::from(need.usual.max(1)),
            per_token,
            own_prefill,
            pending: sums.pending,
            wait_for_room: sums.wait_for_room(need, at.capacity) * per_token / load.max(1.0),
            unloaded,
            step,
            load,
            makes_late: sums.makes_late,
            is_known: pace.is_known(),
            is_guess: pace.is_guess(silence),
            per_prompt_token,
        }
    }

    pub(super) fn pending(&self) -> f64 {
        self.pending
    }

    pub(super) fn waits_for_room(&self) -> bool {
        self.wait_for_room > 0.0
    }

    /// The estimate has fallen without news.
    pub(super) fn is_guess(&self) -> bool {
        self.is_guess
    }

    pub(super) fn ttft(&self) -> f64 {
        let reading = self.per_prompt_token * self.pending + self.own_prefill;
        self.wait_for_room + reading + self.per_token
    }

    pub(super) fn whole_usual(&self) -> f64 {
        self.whole(self.usual)
    }

    fn whole(&self, length: f64) -> f64 {
        self.ttft() + (length - 1.0) * self.per_token
    }

    pub(super) fn prediction(&self) -> Prediction {
        if !self.is_known {
            return Prediction::default();
        }
        Prediction {
            ttft: seconds(self.ttft()),
            whole: seconds(self.whole(self.mean)),
            whole_usual: seconds(self.whole_usual()),
            unloaded: seconds(self.unloaded),
            step: seconds(self.step),
            own_prefill: seconds(self.own_prefill),
            inflicted: seconds(0.5 * self.load * self.own_prefill),
            makes_late: self.makes_late,
            ..Prediction::default()
        }
    }
}

impl Sums {
    fn of<'a>(
        flights: impl Iterator<Item = &'a Flight>,
        delay: f64,
        per_token: f64,
        now: Instant,
    ) -> Self {
        let mut sums = Self::default();
        for flight in flights {
            if flight.is_pending(now) {
                sums.pending += flight.need.uncached();
            }
            sums.reserved += flight.need.reserved();
            sums.left += flight.left(flight.need.mean, per_token, now);
            sums.makes_late |= would_be_late(flight, delay, per_token, now);
        }
        sums
    }

    /// Tokens that what runs has to give room for the request, first: the part
    /// of what is left that its reservation exceeds the room by.
    fn wait_for_room(&self, need: &Need, capacity: Option<u32>) -> f64 {
        let Some(capacity) = capacity.filter(|_| self.reserved > 0.0) else {
            return 0.0;
        };
        let short = self.reserved + need.reserved() - f64::from(capacity);
        (short / self.reserved).max(0.0) * self.left
    }
}

/// A running answer that is in time would not be with so much delay.
fn would_be_late(flight: &Flight, delay: f64, per_token: f64, now: Instant) -> bool {
    let Some(deadline) = flight.deadline else {
        return false;
    };
    let until = deadline.saturating_duration_since(now).as_secs_f64();
    let left = flight.left(flight.need.usual, per_token, now);
    let end = flight.first_token_in(now) + left * per_token;
    end <= until && end + delay > until
}
