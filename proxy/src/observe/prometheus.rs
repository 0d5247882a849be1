//! Shows the registry to Prometheus, in the OpenMetrics text format.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::cell::Cell;
use super::family::{Family, Series};
use super::metrics::Metrics;
use super::name::Kind;

/// The content type of `Registry::render`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.all()
            .iter()
            .try_for_each(|metric| metric.encode(&mut encoder))
    }
}

impl<C: Cell> Family<C> {
    /// Nothing while there is no label set.
    pub(super) fn encode_series(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let series = self.series();
        if series.is_empty() {
            return Ok(());
        }
        let name = self.name().prometheus(C::KIND);
        let help = format!("StatsD `{}`", self.name().dotted());
        let (unit, kind) = unit_and_type(C::KIND);
        let mut metric = encoder.encode_descriptor(&name, &help, unit, kind)?;
        match series.as_slice() {
            [only] if self.name().labels().is_empty() => only.cell.encode(metric),
            many => many.iter().try_for_each(|series| {
                series
                    .cell
                    .encode(metric.encode_family(&labels(self.name().labels(), series))?)
            }),
        }
    }
}

fn labels<'a, C>(names: &'a [String], series: &'a Series<C>) -> Vec<(&'a str, &'a str)> {
    names
        .iter()
        .map(String::as_str)
        .zip(series.values.iter().map(|value| &**value))
        .collect()
}

fn unit_and_type(kind: Kind) -> (Option<&'static Unit>, MetricType) {
    match kind {
        Kind::Counter => (None, MetricType::Counter),
        Kind::Gauge => (None, MetricType::Gauge),
        Kind::Timer => (Some(&Unit::Seconds), MetricType::Histogram),
    }
}
