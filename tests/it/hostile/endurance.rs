//! What filters that fail again and again cost the process.

use std::time::{Duration, Instant};

use headworks_tests::{Guest, ModelServer, TestProxy};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{ask, full};
use crate::traffic::Traffic;

/// Never taken out by its failures.
fn tireless(guest: &str) -> Guest {
    let breaker = json!({"failures": 1_000_000, "window": "1ms"});
    Guest::of(guest).set("breaker", breaker)
}

/// Asks so often, some at a time; all have to be refused for the filter's sake.
async fn refused(proxy: &TestProxy, times: usize) {
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        let request = proxy.request("/v1/generate", &ask(4));
        clients.spawn(async move {
            for _ in 0..times / 4 {
                let answer = request.try_clone().unwrap().send().await.unwrap();
                assert_eq!(answer.status(), 500);
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn memory_stays_flat_however_often_filters_trap() {
    let times = if full() { 10_000 } else { 1_000 };
    for guest in ["traps", "panics", "hoards", "recurses"] {
        let qwen = ModelServer::named("qwen2");
        let proxy = TestProxy::to(&qwen).filter(tireless(guest)).start().await;
        refused(&proxy, times / 2).await;
        let before = proxy.rss();
        refused(&proxy, times).await;
        let after = proxy.rss();
        let page = proxy.metrics().await;
        let lines = page.lines();
        let counts = lines.filter_map(|line| {
            let (series, count) = line.rsplit_once(' ')?;
            let ours = series.starts_with("headworks_filter_failures_total{");
            ours.then(|| count.parse::<usize>().unwrap())
        });
        let failed: usize = counts.sum();
        assert!(failed >= times, "{guest}: {failed} failures");
        eprintln!(
            "{guest}: {failed} failures, {} KiB then {} KiB",
            before >> 10,
            after >> 10
        );
        // Room for what allocators keep; a leak of one instance each would be 30 MB at least.
        assert!(
            after < before + (12 << 20),
            "{guest}: {before} bytes, then {after}"
        );
    }
}

/// The longest that operators waited while something went on.
async fn longest_wait(proxy: &TestProxy, work: impl Future<Output = ()>) -> Duration {
    let mut longest = Duration::ZERO;
    let watch = async {
        loop {
            let asked = Instant::now();
            assert_eq!(proxy.admin_get("/healthz").await.status(), 200);
            longest = longest.max(asked.elapsed());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = watch => unreachable!("it watches for ever"),
        () = work => {}
    }
    longest
}

#[tokio::test]
async fn operators_are_answered_and_other_filters_serve_while_one_misbehaves() {
    let times = if full() { 400 } else { 40 };
    for guest in ["loops", "hoards", "recurses", "logs_much"] {
        let qwen = ModelServer::named("qwen2");
        // The hostile one sees all, and what else there is sees requests past it.
        let open = tireless(guest).set("on_error", "fail-open");
        let proxy = TestProxy::to(&qwen)
            .filter(open)
            .filter(Guest::builtin("telemetry"))
            .start()
            .await;
        let traffic = Traffic::requests(&proxy, 4);
        let longest = longest_wait(&proxy, traffic.answers(times)).await;
        traffic.stop().await.assert_untouched();
        eprintln!("{guest}: operators waited {longest:?} at most");
        assert!(
            !full() || longest < Duration::from_millis(200),
            "{guest}: {longest:?}"
        );
    }
}
