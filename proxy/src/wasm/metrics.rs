//! The metrics of one instance, under the numbers that it knows them by.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::Result;

use super::bindings::metrics::Sample;
use super::failure::BadCall;
use crate::observe::{Count, Family, Level, Timings};

/// Metrics that one instance may have.
const METRICS: usize = 1000;

/// What one instance counts and times, under the numbers that it knows it by.
#[derive(Default)]
pub(super) struct Metrics {
    metrics: Vec<Metric>,
    series: Vec<Series>,
}

/// A metric, whatever its kind.
pub(super) enum Metric {
    Counter(Arc<Family<Count>>),
    Gauge(Arc<Family<Level>>),
    Timer(Arc<Family<Timings>>),
}

/// One label set.
pub(super) enum Series {
    Count(Arc<Count>),
    Level(Arc<Level>),
    Timings(Arc<Family<Timings>>, Arc<Timings>),
}

impl Metrics {
    /// The number of a metric that was made.
    pub(super) fn keep(&mut self, metric: Metric) -> Result<u32> {
        if self.metrics.len() == METRICS {
            let message =
                format!("has {METRICS} metrics already; make them in `configure` and keep them");
            return Err(BadCall(message).into());
        }
        self.metrics.push(metric);
        Ok(last(&self.metrics))
    }

    /// The metric of this number.
    pub(super) fn metric(&self, number: u32) -> Result<&Metric, BadCall> {
        let metric = self.metrics.get(number as usize);
        metric.ok_or_else(|| BadCall(format!("has no metric {number}")))
    }

    /// The number of a series: there are no more of them than a metric takes
    /// label sets, since those beyond are one.
    pub(super) fn number(&mut self, series: Series) -> u32 {
        let known = self.series.iter().position(|known| known.is(&series));
        match known {
            Some(known) => known as u32,
            None => {
                self.series.push(series);
                last(&self.series)
            }
        }
    }

    /// Counts, sets or times.
    pub(super) fn take(&self, sample: Sample) -> Result<(), BadCall> {
        let Sample { series, value } = sample;
        match self.series.get(series as usize) {
            Some(Series::Level(level)) => level.set(value),
            Some(Series::Count(count)) => count.add(positive(value)),
            Some(Series::Timings(timer, timings)) => {
                timer.record_in(timings, Duration::from_micros(positive(value)));
            }
            None => return Err(BadCall(format!("has no series {series}"))),
        }
        Ok(())
    }
}

impl Metric {
    /// The series with these label values.
    pub(super) fn series(&self, values: &[&str]) -> Result<Series, BadCall> {
        match self {
            Self::Counter(counter) => counter.of(values).map(Series::Count),
            Self::Gauge(gauge) => gauge.of(values).map(Series::Level),
            Self::Timer(timer) => {
                let timings = timer.of(values);
                timings.map(|timings| Series::Timings(Arc::clone(timer), timings))
            }
        }
        .map_err(BadCall::of)
    }
}

impl Series {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Count(a), Self::Count(b)) => Arc::ptr_eq(a, b),
            (Self::Level(a), Self::Level(b)) => Arc::ptr_eq(a, b),
            (Self::Timings(_, a), Self::Timings(_, b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// What only grows takes no less than nothing.
fn positive(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// The number of the item that was just added.
fn last<T>(items: &[T]) -> u32 {
    (items.len() - 1) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{LABEL_SETS, Registry};

    #[test]
    fn a_number_that_was_not_given_is_a_bad_call() {
        let metrics = Metrics::default();
        let sample = Sample {
            series: 7,
            value: 1,
        };
        assert_eq!(metrics.take(sample).unwrap_err().0, "has no series 7");
        let metric = metrics.metric(3).map(|_| ()).unwrap_err();
        assert_eq!(metric.0, "has no metric 3");
    }

    #[test]
    fn series_are_as_many_as_label_sets_at_most() {
        let registry = Registry::new();
        let mut metrics = Metrics::default();
        let counter = registry.counter("c.{l}", &["l".to_owned()]).unwrap();
        let counter = metrics.keep(Metric::Counter(counter)).unwrap();
        for value in 0..2 * LABEL_SETS {
            let series = metrics.metric(counter).unwrap();
            let series = series.series(&[&value.to_string()]).unwrap();
            metrics.number(series);
        }
        assert_eq!(metrics.series.len(), LABEL_SETS + 1);
    }
}
