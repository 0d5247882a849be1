//! The `tgi_*` series in Prometheus' text format. As with the original, a
//! series appears with its first use.

mod histogram;

use std::collections::BTreeMap;
use std::fmt::Write;

use parking_lot::Mutex;

use histogram::Histogram;
pub(crate) use histogram::Scale;

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

    /// The page, with the gauges of the moment; empty before the first use.
    pub(crate) fn render(&self, gauges: &[(&str, u64)]) -> String {
        let series = self.series.lock();
        let mut page = String::new();
        if series.counters.is_empty() && series.histograms.is_empty() {
            return page;
        }
        let mut head = Head::default();
        for ((name, label), value) in &series.counters {
            head.write(&mut page, name, "counter");
            line(&mut page, name, label, *value);
        }
        for (name, value) in gauges {
            head.write(&mut page, name, "gauge");
            line(&mut page, name, "", *value);
        }
        for ((name, label), histogram) in &series.histograms {
            head.write(&mut page, name, "histogram");
            histogram.write(&mut page, name, label);
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

fn line(page: &mut String, name: &str, label: &str, value: u64) {
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
    fn a_fresh_server_has_an_empty_page() {
        assert_eq!(Metrics::default().render(&[("tgi_queue_size", 0)]), "");
    }

    #[test]
    fn the_page_reads_as_prometheus_expects() {
        let metrics = Metrics::default();
        metrics.count("tgi_request_count", "");
        metrics.count("tgi_request_failure", "err=\"overloaded\"");
        metrics.count("tgi_request_failure", "err=\"validation\"");
        metrics.observe("tgi_request_duration", "", Scale::Seconds, 0.0002);
        let page = metrics.render(&[("tgi_queue_size", 3)]);
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
