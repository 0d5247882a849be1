//! The registry at its edges: text rendered, and `statsd`, datagrams received.

mod statsd;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::*;
/// Samples by name with labels, as rendered.
fn samples(registry: &Registry) -> BTreeMap<String, f64> {
    let rendered = registry.render();
    assert!(rendered.ends_with("# EOF\n"));
    let lines = rendered.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').expect(line);
        assert!(name.starts_with("headworks_"), "{line}");
        (name.to_owned(), value.parse().expect(line))
    });
    samples.collect()
}

fn labels(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn label_sets_beyond_the_bound_are_counted_under_other() {
    let registry = Registry::new();
    let counter = registry.counter("a.{model}", &labels(&["model"])).unwrap();
    for model in 0..LABEL_SETS + 50 {
        counter.add(1, &[&model.to_string()]).unwrap();
    }
    counter.add(1, &["0"]).unwrap();
    let samples = samples(&registry);
    assert_eq!(samples[r#"headworks_a_total{model="0"}"#], 2.0);
    assert_eq!(samples[r#"headworks_a_total{model="other"}"#], 50.0);
    assert_eq!(samples["headworks_metrics_folded_total"], 50.0);
    let sets = samples
        .keys()
        .filter(|name| name.starts_with("headworks_a_total"));
    assert_eq!(sets.count(), LABEL_SETS + 1);
}

#[test]
fn values_that_differ_only_beyond_their_bound_are_one_label_set() {
    let registry = Registry::new();
    let counter = registry.counter("a.{model}", &labels(&["model"])).unwrap();
    for tail in ["x", "y"] {
        counter
            .add(1, &[&format!("{}{tail}", "m".repeat(80))])
            .unwrap();
    }
    let name = format!("headworks_a_total{{model=\"{}\"}}", "m".repeat(80));
    assert_eq!(samples(&registry)[&name], 2.0);
}

#[test]
fn every_kind_renders_as_openmetrics() {
    let registry = Registry::new();
    let pool = labels(&["pool"]);
    registry
        .gauge("queue.depth.{pool}", &pool)
        .unwrap()
        .set(-2, &["gpu"])
        .unwrap();
    let latency = registry.timer("request.latency", &pool).unwrap();
    latency.record(Duration::from_millis(30), &["gpu"]).unwrap();
    registry.counter("never.{pool}", &pool).unwrap();
    expect_test::expect![[r##"
        # HELP headworks_metrics_folded StatsD `metrics.folded`
        # TYPE headworks_metrics_folded counter
        headworks_metrics_folded_total 0
        # HELP headworks_metrics_statsd_datagrams_failed StatsD `metrics.statsd.datagrams_failed`
        # TYPE headworks_metrics_statsd_datagrams_failed counter
        headworks_metrics_statsd_datagrams_failed_total 0
        # HELP headworks_metrics_statsd_timings_dropped StatsD `metrics.statsd.timings_dropped`
        # TYPE headworks_metrics_statsd_timings_dropped counter
        headworks_metrics_statsd_timings_dropped_total 0
        # HELP headworks_queue_depth StatsD `queue.depth.{pool}`
        # TYPE headworks_queue_depth gauge
        headworks_queue_depth{pool="gpu"} -2
        # HELP headworks_request_latency_seconds StatsD `request.latency`
        # TYPE headworks_request_latency_seconds histogram
        # UNIT headworks_request_latency_seconds seconds
        headworks_request_latency_seconds_sum{pool="gpu"} 0.03
        headworks_request_latency_seconds_count{pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="0.0001",pool="gpu"} 0
        headworks_request_latency_seconds_bucket{le="0.0005",pool="gpu"} 0
        headworks_request_latency_seconds_bucket{le="0.001",pool="gpu"} 0
        headworks_request_latency_seconds_bucket{le="0.005",pool="gpu"} 0
        headworks_request_latency_seconds_bucket{le="0.01",pool="gpu"} 0
        headworks_request_latency_seconds_bucket{le="0.025",pool="gpu"} 0
        headworks_request_latency_seconds_bucket{le="0.05",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="0.1",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="0.25",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="0.5",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="1.0",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="1.5",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="2.5",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="5.0",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="10.0",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="20.0",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="30.0",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="60.0",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="120.0",pool="gpu"} 1
        headworks_request_latency_seconds_bucket{le="+Inf",pool="gpu"} 1
        # HELP headworks_traces_lost_spans StatsD `traces.lost_spans`
        # TYPE headworks_traces_lost_spans counter
        headworks_traces_lost_spans_total 0
        # EOF
    "##]]
    .assert_eq(&registry.render());
}

#[test]
fn a_name_registered_twice_is_one_metric() {
    let registry = Registry::new();
    let first = registry.counter("requests.total", &[]).unwrap();
    let second = registry.counter("requests.total", &[]).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn metrics_that_cannot_be_told_apart_are_refused() {
    let registry = Registry::new();
    let none = labels(&[]);
    let model = labels(&["model"]);
    registry.counter("requests.total", &none).unwrap();
    registry.timer("request.latency", &none).unwrap();
    let check = |result: Result<(), RegisterError>, message: &str| {
        assert_eq!(result.unwrap_err().to_string(), message);
    };
    check(
        registry.gauge("requests.total", &none).map(drop),
        "metric `requests.total` is a counter already and cannot be a gauge; choose another name",
    );
    check(
        registry.counter("requests.total", &model).map(drop),
        "metric `requests.total` has the labels [] already and cannot have [\"model\"]; choose another name",
    );
    check(
        registry.counter("requests", &none).map(drop),
        "metric `requests` would be `headworks_requests` on Prometheus, as `requests.total` is; choose another name",
    );
    check(
        registry
            .gauge("request.latency.seconds.count", &none)
            .map(drop),
        "metric `request.latency.seconds.count` would be `headworks_request_latency_seconds_count` on Prometheus, as `request.latency` is; choose another name",
    );
    check(
        registry.gauge("depth", &model).map(drop),
        "gauge `depth` needs `{model}` in its name: StatsD sees no other labels, and a level is not a sum",
    );
    check(
        registry.counter("no good", &none).map(drop),
        "metric `no good` cannot be: `no good` is neither a word of letters, digits and `_` nor a `{label}`",
    );
}

#[test]
fn filters_cannot_make_metrics_without_end() {
    let registry = Registry::new();
    let error = (0..)
        .find_map(|n| registry.counter(&format!("n{n}"), &[]).err())
        .unwrap();
    assert!(matches!(error, RegisterError::TooMany { .. }), "{error}");
}

#[test]
fn the_wrong_number_of_label_values_is_an_error() {
    let registry = Registry::new();
    let counter = registry.counter("a.{model}", &labels(&["model"])).unwrap();
    let error = counter.add(1, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "metric `a.{model}` got 0 label values instead of 1; pass one for each label"
    );
    assert!(counter.add(1, &["a", "b"]).is_err());
}
