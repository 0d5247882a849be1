//! What one endpoint will do with a request: how fast it was lately, what runs
//! on it, and what follows for one more. Pure: times are passed in, and nothing
//! is learned but from what a gateway sees, first tokens, tokens and ends.
//!
//! `pace` learns how fast it is, `flights` keeps what runs, `forecast` puts the
//! two together.

mod flights;
mod forecast;
mod pace;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

pub use flights::Ticket;
pub use forecast::Prediction;

use flights::{Flight, Flights};
use forecast::Outlook;
use pace::Pace;

/// Silence after which an idle endpoint may have changed: then one request may
/// show how it does.
const NEWS_IS_OLD: Duration = Duration::from_millis(1500);

/// The part of the time for which an endpoint has been silent that goes by
/// between requests which are to show whether it is back. So it is found soon after
/// a short stall, and one that never comes back costs few requests.
const PROBED_EACH: f64 = 0.2;

/// The most that goes by between them.
const PROBED_AT_LEAST_EACH: Duration = Duration::from_secs(30);

/// Silence after which a second request may show whether an endpoint on which
/// one hangs does well otherwise.
const HANGS: Duration = Duration::from_secs(5);

/// What a request may cost an endpoint, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Need {
    /// Tokens of the prompt.
    pub prompt: u32,
    /// Those of them that are believed to be in the endpoint's prefix cache.
    pub cached: u32,
    /// New tokens expected.
    pub mean: u32,
    /// New tokens that nine of ten such answers do not exceed.
    pub usual: u32,
    /// New tokens that the answer may have; servers keep room for them.
    pub cap: u32,
    /// Tokens can be seen as they come.
    pub streams: bool,
}

impl Need {
    /// Tokens of the prompt that have to be computed: one at least.
    fn uncached(&self) -> f64 {
        f64::from(self.prompt.saturating_sub(self.cached).max(1))
    }

    /// Tokens that are expected in all.
    pub fn expected(&self) -> u32 {
        self.prompt.saturating_add(self.mean)
    }

    fn reserved(&self) -> f64 {
        f64::from(self.prompt) + f64::from(self.cap)
    }
}

/// Requests of other clients, by the engine's own counts. What has just begun or
/// ended is counted by one of us and not yet by the other, so it is the least of
/// two counts.
#[derive(Debug, Clone, Copy, Default)]
struct Others {
    lately: u32,
    before: u32,
}

impl Others {
    fn count(self) -> u32 {
        self.lately.min(self.before)
    }
}

/// The predictor of one endpoint.
#[derive(Debug, Default)]
pub struct Predictor {
    pace: Pace,
    flights: Flights,
    capacity: Option<u32>,
    others: Others,
    /// When something showed that it works: a token, or the end of an answer.
    last_news: Option<Instant>,
    /// Since when it has had something to do.
    busy_since: Option<Instant>,
    last_begin: Option<Instant>,
    /// Since when it has taken requests and done nothing; until there is news.
    silent_since: Option<Instant>,
    /// What runs is to show how it does; until there is news.
    probing: bool,
}

impl Predictor {
    /// A request was sent. `deadline` is when its answer should be complete.
    pub fn begins(&mut self, need: Need, deadline: Option<Instant>, now: Instant) -> Ticket {
        let outlook = self.outlook(&need, now);
        if self.flights.len() == 0 {
            self.busy_since = Some(now);
            self.probing = self.silent_since.is_some() || outlook.is_guess();
        }
        self.last_begin = Some(now);
        let overdue = seconds(outlook.whole_usual() * 2.0 + pace::SHORTEST_STALL);
        self.flights.add(Flight {
            need,
            deadline,
            began: now,
            ahead: outlook.pending(),
            waits_for_room: outlook.waits_for_room(),
            first_expected: now + seconds(outlook.ttft()),
            overdue: now + overdue,
            seen: 0,
            last_seen: now,
        })
    }

    /// A stream has had so many tokens in all; its first call with more than
    /// none is the first token.
    pub fn progressed(&mut self, ticket: Ticket, tokens: u32, now: Instant) {
        let batch = self.load();
        let Some(flight) = self.flights.get_mut(ticket) else {
            return;
        };
        let Some(more) = tokens.checked_sub(flight.seen).filter(|more| *more > 0) else {
            return;
        };
        let first = flight.seen == 0;
        let before = *flight;
        flight.seen = tokens;
        flight.last_seen = now;
        if !first {
            let span = now.saturating_duration_since(before.last_seen);
            self.pace.tokens(more, span, batch, now);
        } else if !before.waits_for_room {
            let span = now.saturating_duration_since(before.began);
            let read = before.ahead + before.need.uncached();
            self.pace.first_token(read, span, batch);
        }
        self.news(now);
    }

    /// A request is over, however it ended.
    pub fn ended(&mut self, ticket: Ticket, now: Instant) {
        let hung = self.has_stalled(now);
        let Some(flight) = self.flights.remove(ticket) else {
            return;
        };
        if hung && flight.last_seen < now {
            self.silent_since.get_or_insert(flight.last_seen);
        }
    }

    /// What a server said of an answer that came whole: the time for each of
    /// its tokens, and to the first where that is known. Call it before `ended`.
    pub fn told(
        &mut self,
        ticket: Ticket,
        per_token: Duration,
        ttft: Option<Duration>,
        now: Instant,
    ) {
        let batch = self.load();
        let Some(flight) = self.flights.get_mut(ticket) else {
            return;
        };
        flight.last_seen = now;
        let (ahead, own) = (flight.ahead, flight.need.uncached());
        self.pace.answer(per_token, batch);
        if let Some(ttft) = ttft {
            self.pace.first_token(ahead + own, ttft, batch);
        }
        self.news(now);
    }

    /// Tokens of prompts and answers that fit on the endpoint together, as it
    /// says itself (`max_batch_total_tokens`).
    pub fn set_capacity(&mut self, tokens: u32) {
        self.capacity = Some(tokens);
    }

    /// Requests that the engine itself counts, running and queued: those that
    /// are not ours are others'.
    pub fn set_engine_load(&mut self, requests: u32) {
        let ours = self.flights.len().try_into().unwrap_or(u32::MAX);
        self.others = Others {
            lately: requests.saturating_sub(ours),
            before: self.others.lately,
        };
    }

    /// Requests in flight.
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// What would become of a request that was sent now.
    pub fn predict(&self, need: &Need, now: Instant) -> Prediction {
        let mut prediction = self.outlook(need, now).prediction();
        prediction.is_idle_without_news = self.flights.len() == 0 && self.news_is_old(now);
        prediction
    }

    /// It does not do what it should: it is to get no new requests.
    pub fn is_suspect(&self, now: Instant) -> bool {
        match self.flights.len() {
            0 => self.silent_since.is_some(),
            _ => self.probing || self.has_stalled(now),
        }
    }

    /// It is suspect, and one request is wanted to see how it does.
    pub fn wants_probe(&self, now: Instant) -> bool {
        match self.flights.len() {
            0 => self.silent_since.is_some_and(|since| {
                let apart = now.saturating_duration_since(since).mul_f64(PROBED_EACH);
                self.waited(now) >= apart.clamp(NEWS_IS_OLD, PROBED_AT_LEAST_EACH)
            }),
            _ => self.hangs(now),
        }
    }

    fn news_is_old(&self, now: Instant) -> bool {
        let silence = self.silence(now);
        silence.is_none_or(|silence| silence >= NEWS_IS_OLD)
    }

    fn outlook(&self, need: &Need, now: Instant) -> Outlook {
        let silence = self.silence(now).unwrap_or(Duration::ZERO);
        Outlook::of(self, need, silence, now)
    }

    /// Requests on the endpoint, others' too.
    fn load(&self) -> f64 {
        self.flights.len() as f64 + f64::from(self.others.count())
    }

    fn news(&mut self, now: Instant) {
        self.last_news = Some(now);
        self.silent_since = None;
        self.probing = false;
    }

    fn silence(&self, now: Instant) -> Option<Duration> {
        self.last_news
            .map(|news| now.saturating_duration_since(news))
    }

    /// It has something to do, and shows nothing for longer than that explains.
    pub fn has_stalled(&self, now: Instant) -> bool {
        let begun = self.busy_since.filter(|_| self.flights.len() > 0);
        let Some(since) = begun.map(|begun| begun.max(self.last_news.unwrap_or(begun))) else {
            return false;
        };
        let silence = now.saturating_duration_since(since).as_secs_f64();
        if !self.pace.is_known() {
            return silence > pace::UNKNOWN_STALL;
        }
        // The cheap question first: nearly always it is enough.
        silence > pace::SHORTEST_STALL && self.flights.is_overdue(silence, &self.pace, now)
    }

    /// It has stalled for so long that it may be the requests it has.
    fn hangs(&self, now: Instant) -> bool {
        self.waited(now) >= HANGS && self.has_stalled(now)
    }

    /// For how long it has neither got a request nor shown anything.
    fn waited(&self, now: Instant) -> Duration {
        let since = self.last_begin.max(self.last_news);
        since.map_or(Duration::MAX, |since| now.saturating_duration_since(since))
    }
}

/// A duration of so many seconds; what cannot be one is the nearest that can.
fn seconds(seconds: f64) -> Duration {
    // An hour is more than any request may take.
    Duration::from_secs_f64(seconds.clamp(0.0, 3600.0))
}
