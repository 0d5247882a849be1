//! StatsD, Prometheus and the model servers have the same numbers.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use futures::future::join_all;
use headworks_tests::{Guest, ModelServer, StatsdDaemon, TestProxy, until};

use crate::support::{full, unified};

/// Requests at one time.
const CLIENTS: u32 = 16;

/// Share of timings that is told: the daemon reads some ten thousand lines a second,
/// and at full size shares its core with all else.
fn sampled() -> f64 {
    if full() { 1.0 / 64.0 } else { 1.0 / 8.0 }
}

#[tokio::test]
async fn a_daemon_comes_to_the_same_totals_as_prometheus_and_the_model_server() {
    let requests: u32 = if full() { 1_000_000 } else { 2_000 };
    let (daemon, model) = (StatsdDaemon::start().await, ModelServer::named("qwen2"));
    let proxy = TestProxy::to(&model)
        .set("metrics.statsd", daemon.address())
        .set("metrics.statsd_sample_rate", sampled())
        .filter(Guest::builtin("telemetry"))
        .filter(Guest::builtin("model-router"))
        .filter(Guest::builtin("token-limits"))
        .filter(Guest::builtin("load-shaper"))
        .start()
        .await;
    let left = AtomicU32::new(requests);
    let client = async || {
        while left
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
            .is_ok()
        {
            let answer = proxy.post("/v1/generate", unified("qwen2")).await;
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap();
        }
    };
    join_all((0..CLIENTS).map(|_| client())).await;

    let stats = model.stats();
    assert_eq!(stats.finished, u64::from(requests));
    for (statsd, prometheus, expected) in [
        ("requests.total", "requests_total", stats.finished),
        (
            "requests.model.qwen2",
            "requests_model_total{model=\"qwen2\"}",
            stats.finished,
        ),
        (
            "requests.model.qwen2.input_tokens",
            "requests_model_input_tokens_total{model=\"qwen2\"}",
            stats.told_prompts,
        ),
        (
            "requests.model.qwen2.output_tokens",
            "requests_model_output_tokens_total{model=\"qwen2\"}",
            stats.told_tokens,
        ),
    ] {
        let series = format!("headworks_{prometheus}");
        proxy.wait_for_metric(&series, expected as f64).await;
        let what = format!("{statsd} is {expected}, or datagrams were dropped");
        until(&what, async || {
            let told = daemon.counter(statsd);
            assert!(told <= expected, "{statsd} is {told} instead of {expected}");
            (told == expected || daemon.dropped() > 0).then_some(())
        })
        .await;
    }
    // Counters are told by their difference, once: what the system drops, since the
    // daemon is too slow to read it, is lost, and the system counts it.
    if daemon.dropped() > 0 {
        println!("{} datagrams were dropped", daemon.dropped());
        return;
    }
    // The daemon counts each timing for as many as it stands for.
    let expected = f64::from(requests);
    until("a sample of the timings is told", async || {
        let told = daemon.timings("request.latency") as f64;
        let deviation = (expected / sampled()).sqrt();
        (told - expected).abs().le(&(6.0 * deviation)).then_some(())
    })
    .await;
    assert_eq!(
        proxy
            .metric("headworks_metrics_statsd_timings_dropped_total")
            .await,
        0.0
    );
}
