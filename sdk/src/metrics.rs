//! Metrics, on Prometheus and StatsD alike.

mod bound;

use std::time::Duration;

use crate::host::metrics;
use crate::units::micros;
use bound::Bound;

/// Counts up.
///
/// Make metrics in `configure` and keep them. A name is dotted words; `{label}`
/// in it marks where StatsD puts the value of a label. The host caps the label
/// sets of each metric; those beyond are counted under `other`.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// pub struct Usage {
///     input: Counter,
/// }
///
/// #[filter]
/// impl Filter for Usage {
///     type Config = NoSettings;
///
///     fn configure(_: NoSettings) -> Result<Self, Problems> {
///         Ok(Self { input: Counter::new("requests.model.{model}.input_tokens", &["model"]) })
///     }
///
///     fn on_complete(&self, request: &Request, outcome: &Outcome) {
///         self.input.add(outcome.input_tokens().into(), &[&request.model_label()]);
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Counter(Bound<metrics::Counter>);

impl Counter {
    /// Declares a counter with the names of its labels.
    #[must_use]
    pub fn new(name: &str, labels: &[&str]) -> Self {
        Self(Bound::to(metrics::Counter::new(name, labels)))
    }

    /// Counts `by` more, under one value for each label.
    pub fn add(&self, by: u64, values: &[&str]) {
        self.0
            .with(values, |counter, values| counter.add(by, values));
    }

    /// Counts one more.
    pub fn increment(&self, values: &[&str]) {
        self.add(1, values);
    }
}

/// A number that goes up and down. See [`Counter`] for names and labels.
///
/// ```
/// # use headworks_sdk::prelude::*;
/// fn report(gauge: &Gauge, waiting: i64) {
///     gauge.set(waiting, &[]);
/// }
/// ```
#[derive(Debug)]
pub struct Gauge(Bound<metrics::Gauge>);

impl Gauge {
    /// Declares a gauge with the names of its labels.
    #[must_use]
    pub fn new(name: &str, labels: &[&str]) -> Self {
        Self(Bound::to(metrics::Gauge::new(name, labels)))
    }

    /// Sets the number, under one value for each label.
    pub fn set(&self, value: i64, values: &[&str]) {
        self.0
            .with(values, |gauge, values| gauge.set(value, values));
    }
}

/// A histogram of durations. See [`Counter`] for names and labels.
///
/// ```
/// # use headworks_sdk::prelude::*;
/// fn report(timer: &Timer, outcome: &Outcome) {
///     timer.record(outcome.latency(), &[]);
/// }
/// ```
#[derive(Debug)]
pub struct Timer(Bound<metrics::Timer>);

impl Timer {
    /// Declares a timer with the names of its labels.
    #[must_use]
    pub fn new(name: &str, labels: &[&str]) -> Self {
        Self(Bound::to(metrics::Timer::new(name, labels)))
    }

    /// Records a duration, to the microsecond, under one value for each label.
    pub fn record(&self, duration: Duration, values: &[&str]) {
        let micros = micros(duration);
        self.0
            .with(values, |timer, values| timer.record_us(micros, values));
    }
}
