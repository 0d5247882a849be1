//! How fast an endpoint was lately, and how fast it can be.

use std::time::{Duration, Instant};

/// What computing one token adds to a pass, as a part of what the pass takes
/// anyway. Fits published rates of 4-bit models (sgl-project/sglang, issue 28).
const SLOPE: f64 = 0.03;

/// Weight of the newest observation in the averages: in the quick one, which
/// sees a fault within a second, and in the steady one, which the prompts that
/// are read in between do not shake.
const NEWEST: (f64, f64) = (0.15, 0.03);

/// By how much the two averages differ once the pace has changed: then what was
/// before says nothing.
const CHANGED: f64 = 1.7;

/// Spans after such a change until the quick average has found the new pace.
const SETTLES: f64 = 20.0;

/// Observations are put together over this time.
const SPAN: f64 = 0.1;

/// Weight of the newest first token.
const NEWEST_FIRST: f64 = 0.05;

/// What the best rate forgets in each span, so that a server that has become
/// slower for good is known as such after minutes.
const LEAK: f64 = 0.0002;

/// Seconds in which a bad estimate falls to a third without news.
const FORGETS: f64 = 3.3;

/// Seconds of silence that say nothing, whatever an endpoint is doing.
pub(super) const SHORTEST_STALL: f64 = 0.4;

/// The same of an endpoint of which nothing is known yet: it may be loading.
pub(super) const UNKNOWN_STALL: f64 = 10.0;

/// A silence so many times as long as can be explained is a stall that is over. It
/// says nothing of the pace; a shorter one may be that of a very slow endpoint.
const STALLED: f64 = 5.0;

/// Seconds more where no stream has had its first token.
const BEFORE_FIRST: f64 = 0.8;

/// How much longer a pass over `load` sequences takes than over none.
pub(super) fn shape(load: f64) -> f64 {
    1.0_f64.hypot(SLOPE * load)
}

/// What is known of an endpoint's pace; nothing at first.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Seconds for each new token, at an idle endpoint: what was seen, over the
    /// shape of the load that it was seen at.
    base: f64,
    /// The same, of the last half second or so.
    lately: f64,
    /// Spans for which that is believed, since the pace has changed.
    unsettled: f64,
    /// The least of these, leaking.
    best: f64,
    prompts: Prompts,
    span: Span,
}

/// Time to first tokens, over the tokens of prompts read until then. Both are
/// averaged, so that short prompts, which say little, count for little.
#[derive(Debug, Default)]
struct Prompts {
    seconds: f64,
    tokens: f64,
    /// First tokens, as far as they can be counted.
    seen: u8,
}

/// New tokens of all streams since the last average.
#[derive(Debug, Default)]
struct Span {
    since: Option<Instant>,
    seconds: f64,
    tokens: f64,
    /// Load, for each token.
    load: f64,
}

impl Pace {
    /// Something was observed.
    pub(super) fn is_known(&self) -> bool {
        self.base > 0.0
    }

    /// Seconds for each new token beside `load` others in all, after a time
    /// without news.
    pub(super) fn per_token(&self, load: f64, silence: Duration) -> f64 {
        self.base_after(silence) * shape(load)
    }

    /// Seconds for each new token at best, with nothing else to do.
    pub(super) fn unloaded(&self) -> f64 {
        self.best * shape(1.0)
    }

    /// Seconds for each token of a prompt.
    pub(super) fn per_prompt_token(&self) -> f64 {
        match self.prompts.tokens > 0.0 {
            true => self.prompts.seconds / self.prompts.tokens,
            false => SLOPE * self.best,
        }
    }

    /// The estimate has fallen much without news: it is hope rather than
    /// knowledge.
    pub(super) fn is_guess(&self, silence: Duration) -> bool {
        self.base_after(silence) < 0.8 * self.base
    }

    /// Seconds of silence that what is going on does not explain: with so many
    /// tokens of prompts to be read, and with streams that have begun or none.
    pub(super) fn stall(&self, pending: f64, streaming: bool) -> f64 {
        let patience = self.patience() + 2.0 * self.per_prompt_token() * pending;
        match streaming {
            true => patience,
            false => patience + BEFORE_FIRST,
        }
    }

    /// A stream's next tokens, `more` of them, took `took`.
    pub(super) fn tokens(&mut self, more: u32, took: Duration, load: f64, now: Instant) {
        let more = f64::from(more);
        let (took, patience) = (took.as_secs_f64(), self.patience() * more);
        if took > STALLED * patience {
            return;
        }
        self.span.seconds += took.min(patience);
        self.span.tokens += more;
        self.span.load += load * more;
        let since = *self.span.since.get_or_insert(now);
        let length = now.saturating_duration_since(since).as_secs_f64();
        if length >= SPAN {
            let span = std::mem::take(&mut self.span);
            self.span.since = Some(now);
            // A span that began before the endpoint was idle covers less.
            let spans = (length.min(span.seconds) / SPAN).min(5.0);
            self.learn(span.seconds / span.tokens, span.load / span.tokens, spans);
        }
    }

    /// A first token came after `took`, in which `read` tokens of prompts were read.
    pub(super) fn first_token(&mut self, read: f64, took: Duration, load: f64) {
        // Before, nobody can tell what of it is the token's own pass.
        if !self.is_known() {
            return;
        }
        let pass = self.base * shape(load);
        let most = SHORTEST_STALL + 4.0 * self.per_prompt_token() * read;
        let seconds = (took.as_secs_f64() - pass).clamp(0.0, most);
        self.prompts.seen = self.prompts.seen.saturating_add(1);
        // The plain average of the first ones, so that none weighs more.
        let weight = NEWEST_FIRST.max(1.0 / f64::from(self.prompts.seen));
        blend(&mut self.prompts.seconds, seconds, weight);
        blend(&mut self.prompts.tokens, read.max(1.0), weight);
    }

    /// An answer came whole, with so much time for each token. It speaks for a
    /// second or so, as do all others that ran beside it.
    pub(super) fn answer(&mut self, per_token: Duration, load: f64) {
        let spans = (10.0 / load.max(1.0)).clamp(0.5, 4.0);
        self.learn(per_token.as_secs_f64(), load, spans);
    }

    fn learn(&mut self, per_token: f64, load: f64, spans: f64) {
        let base = per_token.max(1e-6) / shape(load);
        if !self.is_known() {
            (self.base, self.lately) = (base, base);
        } else {
            blend_pace(&mut self.lately, base, 1.0 - (1.0 - NEWEST.0).powf(spans));
            blend_pace(&mut self.base, base, 1.0 - (1.0 - NEWEST.1).powf(spans));
        }
        let change = self.lately / self.base;
        if !(1.0 / CHANGED..=CHANGED).contains(&change) {
            self.unsettled = SETTLES;
        }
        if self.unsettled > 0.0 {
            self.unsettled -= spans;
            self.base = self.lately;
        }
        let leaked = self.best * (1.0 + LEAK * spans);
        self.best = match self.best > 0.0 {
            true => leaked.min(self.base),
            false => self.base,
        };
    }

    fn base_after(&self, silence: Duration) -> f64 {
        let kept = (-silence.as_secs_f64() / FORGETS).exp();
        self.best + (self.base - self.best) * kept
    }

    fn patience(&self) -> f64 {
        SHORTEST_STALL.max(12.0 * self.base)
    }
}

fn blend(average: &mut f64, newest: f64, weight: f64) {
    *average += weight * (newest - *average);
}

/// The same of times for each token: what is averaged is tokens in a time, since
/// a pause to read a prompt is one token with all the time of it.
fn blend_pace(average: &mut f64, newest: f64, weight: f64) {
    let mut rate = 1.0 / *average;
    blend(&mut rate, 1.0 / newest, weight);
    *average = 1.0 / rate;
}
