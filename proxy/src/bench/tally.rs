//! What came of all requests.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::ask::Seen;

/// Longest time that is told apart; longer ones count as this.
const LONGEST: u64 = 3_600_000_000;

/// When a model said something for the first time.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Start {
    pub(super) model: String,
    /// Since the bench began, models asked one after another.
    #[serde(rename = "first_token_s", serialize_with = "seconds")]
    pub(super) first_token: Duration,
    /// Since the request that it answered.
    #[serde(rename = "alone_s", serialize_with = "seconds")]
    pub(super) alone: Duration,
}

/// What came of requests, by model.
#[derive(Debug, Default)]
pub(super) struct Tally {
    models: BTreeMap<String, Counts>,
}

/// What came of some requests.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    answered: u64,
    tokens: u64,
    /// By what went wrong.
    failures: BTreeMap<String, u64>,
    /// Microseconds.
    latency: Histogram<u64>,
    first: Histogram<u64>,
}

/// The figures of some requests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Figures {
    pub(super) requests: u64,
    pub(super) failed: u64,
    /// Answers a second.
    pub(super) rate: f64,
    pub(super) mean_ms: f64,
    pub(super) p50_ms: f64,
    pub(super) p95_ms: f64,
    pub(super) p99_ms: f64,
    /// Until the first token; none where answers came whole.
    pub(super) ttft_p50_ms: Option<f64>,
    pub(super) ttft_p99_ms: Option<f64>,
    /// New tokens a second.
    pub(super) tokens_per_second: f64,
    pub(super) failures: BTreeMap<String, u64>,
}

impl Default for Counts {
    fn default() -> Self {
        let times = || {
            Histogram::new_with_bounds(1, LONGEST, 3)
                .expect("an hour in microseconds, three digits")
        };
        Self {
            answered: 0,
            tokens: 0,
            failures: BTreeMap::new(),
            latency: times(),
            first: times(),
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, model: &str, seen: &Seen) {
        if !self.models.contains_key(model) {
            self.models.insert(model.to_owned(), Counts::default());
        }
        if let Some(counts) = self.models.get_mut(model) {
            counts.add(seen);
        }
    }

    /// The figures of each model.
    pub(super) fn models(&self, elapsed: Duration) -> BTreeMap<String, Figures> {
        let figures =
            |(model, counts): (&String, &Counts)| (model.clone(), counts.figures(elapsed));
        self.models.iter().map(figures).collect()
    }

    /// Those of all models together.
    pub(super) fn all(&self, elapsed: Duration) -> Figures {
        let all = self.models.values().fold(Counts::default(), Counts::with);
        all.figures(elapsed)
    }

    /// How it goes, in a line.
    pub(super) fn progress(&self, elapsed: Duration) -> String {
        let all = self.all(elapsed);
        format!(
            "{} requests, {} failed, {:.1}/s, P50 {:.0} ms, P99 {:.0} ms",
            all.requests, all.failed, all.rate, all.p50_ms, all.p99_ms
        )
    }
}

impl Counts {
    fn add(&mut self, seen: &Seen) {
        self.tokens += u64::from(seen.tokens);
        if let Some(failure) = &seen.failure {
            *self.failures.entry(failure.clone()).or_default() += 1;
            return;
        }
        self.answered += 1;
        self.latency.saturating_record(micros(seen.took));
        if let Some(first) = seen.first {
            self.first.saturating_record(micros(first));
        }
    }

    fn with(mut self, other: &Self) -> Self {
        self.answered += other.answered;
        self.tokens += other.tokens;
        for (failure, count) in &other.failures {
            *self.failures.entry(failure.clone()).or_default() += count;
        }
        let bounds = "both have the same bounds";
        self.latency.add(&other.latency).expect(bounds);
        self.first.add(&other.first).expect(bounds);
        self
    }

    fn figures(&self, elapsed: Duration) -> Figures {
        let failed: u64 = self.failures.values().sum();
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let ms = |times: &Histogram<u64>, quantile| times.value_at_quantile(quantile) as f64 / 1e3;
        let first = |quantile| (!self.first.is_empty()).then(|| ms(&self.first, quantile));
        Figures {
            requests: self.answered + failed,
            failed,
            rate: self.answered as f64 / seconds,
            mean_ms: self.latency.mean() / 1e3,
            p50_ms: ms(&self.latency, 0.50),
            p95_ms: ms(&self.latency, 0.95),
            p99_ms: ms(&self.latency, 0.99),
            ttft_p50_ms: first(0.50),
            ttft_p99_ms: first(0.99),
            tokens_per_second: self.tokens as f64 / seconds,
            failures: self.failures.clone(),
        }
    }
}

impl Figures {
    /// Failed requests in a hundred.
    pub(super) fn errors(&self) -> f64 {
        self.failed as f64 / self.requests.max(1) as f64 * 100.0
    }
}

fn micros(time: Duration) -> u64 {
    time.as_micros().try_into().unwrap_or(u64::MAX)
}

fn seconds<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ms: u64, failure: Option<&str>) -> Seen {
        Seen {
            took: Duration::from_millis(ms),
            first: failure.is_none().then(|| Duration::from_millis(ms / 10)),
            tokens: 10,
            failure: failure.map(str::to_owned),
        }
    }

    #[test]
    fn answers_are_timed_and_failures_counted_by_kind() {
        let mut tally = Tally::default();
        for ms in 1..=100 {
            tally.add(if ms % 2 == 0 { "a" } else { "b" }, &seen(ms * 10, None));
        }
        tally.add("b", &seen(5, Some("timeout")));
        let elapsed = Duration::from_secs(10);
        let all = tally.all(elapsed);
        assert_eq!((all.requests, all.failed), (101, 1));
        assert_eq!(all.failures["timeout"], 1);
        assert!((all.rate - 10.0).abs() < 1e-9 && (all.tokens_per_second - 101.0).abs() < 1e-9);
        assert!((all.p99_ms - 990.0).abs() < 1.0 && (all.p50_ms - 500.0).abs() < 1.0);
        assert!((all.errors() - 0.99).abs() < 0.01);
        let models = tally.models(elapsed);
        assert_eq!((models["a"].requests, models["b"].requests), (50, 51));
        assert!(models["a"].ttft_p50_ms.is_some());
    }

    #[test]
    fn of_nothing_there_are_no_figures_but_zeros() {
        let all = Tally::default().all(Duration::ZERO);
        assert_eq!((all.requests, all.ttft_p50_ms), (0, None));
        assert!(all.errors() == 0.0 && all.rate == 0.0);
    }
}
