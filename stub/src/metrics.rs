//! Series in Prometheus' text format, counted under TGI's names and shown under
//! those of the dialect. As with TGI, a series appears with its first use.

mod histogram;

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use parking_lot::Mutex;

use histogram::Histogram;
pub(crate) use histogram::Scale;

/// Under which names, and with which label, series are shown.
pub(crate) struct Naming {
    /// The name shown for one of TGI's; none leaves the series out.
    pub(crate) rename: fn(&'static str) -> Option<&'static str>,
    /// Stands between the braces of every series.
    pub(crate) label: String,
}

impl Naming {
    /// As they are counted.
    pub(crate) fn plain() -> Self {
        Self {
            rename: Some,
            label: String::new(),
        }
    }

    fn join(&self, label: &str) -> String {
        let comma = if self.label.is_empty() || label.is_empty() {
            ""
        } else {
            ","
        };
        format!("{}{comma}{label}", self.label)
    }
}

/// Counters and histograms by name and label.
#[derive(Default)]
pub(crate) struct Metrics {
    series: Mutex<Series>,
}

#[derive(Default)]
struct Series {
    counters: BTreeMap<Key, u64>,
    histograms: BTreeMap<Key, Histogram>,
}

/// A name and, where there is one, a label as it stands between braces.
type Key = (&'static str, &'static str);

impl Metrics {
    /// Adds one to a counter.
    pub(crate) fn count(&self, name: &'static str, label: &'static str) {
        *self
            .series
            .lock()
            .counters
            .entry((name, label))
            .or_default() += 1;
    }

    /// Adds a value to a histogram of the given scale.
    pub(crate) fn observe(
        &self,
        name: &'static str,
        label: &'static str,
        scale: Scale,
        value: f64,
    ) {
        let mut series = self.series.lock();
        series
            .histograms
            .entry((name, label))
            .or_insert_with(|| Histogram::new(scale))
            .add(value);
    }

    /// Nothing was counted yet.
    pub(crate) fn is_empty(&self) -> bool {
        let series = self.series.lock();
        series.counters.is_empty() && series.histograms.is_empty()
    }

    /// The page, with the gauges of the moment, which have the names that are shown.
    pub(crate) fn render(&self, gauges: &[(&str, f64)], naming: &Naming) -> String {
        let series = self.series.lock();
        let (mut page, mut head) = (String::new(), Head::default());
        for ((name, label), value) in &series.counters {
            if let Some(name) = (naming.rename)(name) {
                head.write(&mut page, name, "counter");
                line(&mut page, name, &naming.join(label), value);
            }
        }
        for (name, value) in gauges {
            head.write(&mut page, name, "gauge");
            line(&mut page, name, &naming.label, value);
        }
        for ((name, label), histogram) in &series.histograms {
            if let Some(name) = (naming.rename)(name) {
                head.write(&mut page, name, "histogram");
                histogram.write(&mut page, name, &naming.join(label));
            }
        }
        page
    }
}

/// Writes the type line once for all labels of a name.
#[derive(Default)]
struct Head<'a> {
    last: &'a str,
}

impl<'a> Head<'a> {
    fn write(&mut self, page: &mut String, name: &'a str, kind: &str) {
        if std::mem::replace(&mut self.last, name) != name {
            let blank = if page.is_empty() { "" } else { "\n" };
            writeln!(page, "{blank}# TYPE {name} {kind}").expect("a string takes any text");
        }
    }
}

fn line(page: &mut String, name: &str, label: &str, value: impl Display) {
    let written = if label.is_empty() {
        writeln!(page, "{name} {value}")
    } else {
        writeln!(page, "{name}{{{label}}} {value}")
    };
    written.expect("a string takes any text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_dialect_and_others_are_left_out() {
        let naming = Naming {
            rename: |name| (name == "tgi_request_success").then_some("vllm:request_success_total"),
            label: "model_name=\"m\"".to_owned(),
        };
        let metrics = Metrics::default();
        assert!(metrics.is_empty());
        metrics.count("tgi_request_count", "");
        metrics.count("tgi_request_success", "finished_reason=\"stop\"");
        assert_eq!(
            metrics.render(&[("vllm:kv_cache_usage_perc", 0.5)], &naming),
            "# TYPE vllm:request_success_total counter\n\
             vllm:request_success_total{model_name=\"m\",finished_reason=\"stop\"} 1\n\n\
             # TYPE vllm:kv_cache_usage_perc gauge\nvllm:kv_cache_usage_perc{model_name=\"m\"} 0.5\n"
        );
    }

    #[test]
    fn the_page_reads_as_prometheus_expects() {
        let metrics = Metrics::default();
        metrics.count("tgi_request_count", "");
        metrics.count("tgi_request_failure", "err=\"overloaded\"");
        metrics.count("tgi_request_failure", "err=\"validation\"");
        metrics.observe("tgi_request_duration", "", Scale::Seconds, 0.0002);
        let page = metrics.render(&[("tgi_queue_size", 3.0)], &Naming::plain());
        assert!(
            page.starts_with("# TYPE tgi_request_count counter\ntgi_request_count 1\n\n"),
            "{page}"
        );
        assert!(page.contains("# TYPE tgi_request_failure counter\ntgi_request_failure{err=\"overloaded\"} 1\ntgi_request_failure{err=\"validation\"} 1\n"));
        assert!(page.contains("# TYPE tgi_queue_size gauge\ntgi_queue_size 3\n"));
        assert!(page.contains("tgi_request_duration_bucket{le=\"0.00015\"} 0\ntgi_request_duration_bucket{le=\"0.000225\"} 1\n"));
        assert!(page.contains("tgi_request_duration_bucket{le=\"+Inf\"} 1\ntgi_request_duration_sum 0.0002\ntgi_request_duration_count 1\n"));
    }
}
