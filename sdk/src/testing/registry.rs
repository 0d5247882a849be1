//! The metrics of a test, by name and label values.

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Timer,
}

/// All metrics of a filter.
#[derive(Default)]
pub(crate) struct Registry {
    metrics: Vec<Metric>,
    series: Vec<Series>,
}

struct Metric {
    kind: Kind,
    name: String,
    labels: Vec<String>,
}

/// One label set, and what it was given.
struct Series {
    metric: usize,
    values: Vec<String>,
    samples: Vec<i64>,
}

impl Registry {
    /// Declares a metric; a second time is as good as the first.
    ///
    /// # Panics
    /// When the name marks a label that the metric lacks, or it is declared again
    /// with other labels.
    pub(crate) fn declare(&mut self, kind: Kind, name: &str, labels: &[&str]) -> u32 {
        let marked = name
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'));
        for (label, _) in marked {
            assert!(
                labels.contains(&label),
                "metric `{name}` marks `{label}`, which is not among its labels"
            );
        }
        if let Some(known) = self.find(kind, name) {
            assert_eq!(
                self.metrics[known].labels, labels,
                "metric `{name}` is declared with other labels before"
            );
            return number(known);
        }
        self.metrics.push(Metric {
            kind,
            name: name.to_owned(),
            labels: owned(labels),
        });
        number(self.metrics.len() - 1)
    }

    /// The number of a label set.
    ///
    /// # Panics
    /// When there are more or fewer values than labels.
    pub(crate) fn series_of(&mut self, metric: u32, values: &[&str]) -> u32 {
        let metric = metric as usize;
        self.metrics[metric].check(values);
        if let Some(known) = self.series(metric, values) {
            return number(known);
        }
        self.series.push(Series {
            metric,
            values: owned(values),
            samples: Vec::new(),
        });
        number(self.series.len() - 1)
    }

    /// Takes a sample. Of a counter only the sum is kept and of a gauge the last
    /// value, so that a long simulation does not grow by them.
    pub(crate) fn observe(&mut self, series: u32, value: i64) {
        let Series {
            metric, samples, ..
        } = &mut self.series[series as usize];
        match (self.metrics[*metric].kind, samples.first_mut()) {
            (Kind::Counter, Some(sum)) => *sum += value,
            (Kind::Gauge, Some(last)) => *last = value,
            _ => samples.push(value),
        }
    }

    /// What a label set was given: the sum of a counter, the last value of a
    /// gauge, all durations of a timer in order.
    ///
    /// # Panics
    /// When no such metric is declared: a misspelt name would make a check that
    /// cannot fail.
    pub(crate) fn samples(&self, kind: Kind, name: &str, values: &[&str]) -> &[i64] {
        let Some(metric) = self.find(kind, name) else {
            let known: Vec<&str> = self.names(kind).collect();
            panic!(
                "the filter has no metric `{name}` of this kind; it has: {}",
                known.join(", ")
            );
        };
        self.metrics[metric].check(values);
        let series = self.series(metric, values);
        series.map_or(&[], |series| &self.series[series].samples)
    }

    fn find(&self, kind: Kind, name: &str) -> Option<usize> {
        let is = |metric: &Metric| metric.kind == kind && metric.name == name;
        self.metrics.iter().position(is)
    }

    fn series(&self, metric: usize, values: &[&str]) -> Option<usize> {
        let is = |series: &Series| series.metric == metric && series.values == values;
        self.series.iter().position(is)
    }

    fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let of_kind = self
            .metrics
            .iter()
            .filter(move |metric| metric.kind == kind);
        of_kind.map(|metric| &*metric.name)
    }
}

impl Metric {
    fn check(&self, values: &[&str]) {
        let (labels, count) = (self.labels.len(), values.len());
        assert_eq!(
            labels, count,
            "metric `{}` has {labels} labels, not {count}",
            self.name
        );
    }
}

fn number(place: usize) -> u32 {
    u32::try_from(place).expect("tests have fewer metrics")
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
