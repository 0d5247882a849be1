//! Metrics, on Prometheus and StatsD alike.

mod metric;
mod samples;

use std::time::Duration;

use crate::host::metrics;
use crate::units::micros;
use metric::Metric;
#[cfg(target_family = "wasm")]
pub(crate) use samples::flush;

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
pub struct Counter(Metric);

impl Counter {
    /// Declares a counter with the names of its labels.
    #[must_use]
    pub fn new(name: &str, labels: &[&str]) -> Self {
        Self(Metric::new(metrics::counter(name, labels)))
    }

    /// Counts `by` more, under one value for each label.
    pub fn add(&self, by: u64, values: &[&str]) {
        self.0.observe(values, whole(by));
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
pub struct Gauge(Metric);

impl Gauge {
    /// Declares a gauge with the names of its labels.
    #[must_use]
    pub fn new(name: &str, labels: &[&str]) -> Self {
        Self(Metric::new(metrics::gauge(name, labels)))
    }

    /// Sets the number, under one value for each label.
    pub fn set(&self, value: i64, values: &[&str]) {
        self.0.observe(values, value);
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
pub struct Timer(Metric);

impl Timer {
    /// Declares a timer with the names of its labels.
    #[must_use]
    pub fn new(name: &str, labels: &[&str]) -> Self {
        Self(Metric::new(metrics::timer(name, labels)))
    }

    /// Records a duration, to the microsecond, under one value for each label.
    pub fn record(&self, duration: Duration, values: &[&str]) {
        self.0.observe(values, whole(micros(duration)));
    }
}

/// As the contract has numbers; what is beyond them is as much as can be.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
