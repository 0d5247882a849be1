//! The metrics of a test, by name and label values.

use std::collections::BTreeMap;

/// What one metric is, and its values by label values.
pub(crate) struct Series<V> {
    labels: usize,
    values: BTreeMap<Vec<String>, V>,
}

/// Metrics of one kind, by name.
pub(crate) type Family<V> = BTreeMap<String, Series<V>>;

/// All metrics of a filter.
#[derive(Default)]
pub(crate) struct Registry {
    pub(crate) counters: Family<u64>,
    pub(crate) gauges: Family<i64>,
    /// Microseconds, in the order in which they were recorded.
    pub(crate) timers: Family<Vec<u64>>,
}

/// Declares a metric; a second time is as good as the first.
///
/// # Panics
/// When the name marks a label that the metric lacks, or it is declared again
/// with other labels.
pub(crate) fn declare<V>(family: &mut Family<V>, name: &str, labels: &[&str]) {
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
    let fresh = Series {
        labels: labels.len(),
        values: BTreeMap::new(),
    };
    let series = family.entry(name.to_owned()).or_insert(fresh);
    assert_eq!(
        series.labels,
        labels.len(),
        "metric `{name}` is declared with other labels before"
    );
}

/// The place of one value.
///
/// # Panics
/// When there are more or fewer values than labels.
pub(crate) fn at<'a, V: Default>(
    family: &'a mut Family<V>,
    name: &str,
    values: &[&str],
) -> &'a mut V {
    let series = family
        .get_mut(name)
        .expect("metrics are declared before they are used");
    let count = values.len();
    assert_eq!(
        series.labels, count,
        "metric `{name}` has {} labels, not {count}",
        series.labels
    );
    series.values.entry(owned(values)).or_default()
}

/// One value, if there is one.
///
/// # Panics
/// When no such metric is declared: a misspelt name would make a check that
/// cannot fail.
pub(crate) fn read<'a, V>(family: &'a Family<V>, name: &str, values: &[&str]) -> Option<&'a V> {
    let Some(series) = family.get(name) else {
        let known: Vec<&str> = family.keys().map(String::as_str).collect();
        panic!(
            "the filter has no metric `{name}` of this kind; it has: {}",
            known.join(", ")
        );
    };
    let count = values.len();
    assert_eq!(
        series.labels, count,
        "metric `{name}` has {} labels, not {count}",
        series.labels
    );
    series.values.get(&owned(values))
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
