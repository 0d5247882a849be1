//! The big one: filters and settings change again and again while streams are
//! open and requests come in.

use std::time::{Duration, Instant};

use headworks_tests::{
    Guest, ModelServer, Options, Profile, TestProxy, guest_bytes, unlike, until,
};
use serde_json::json;

use crate::support::{full, model_of, unified};
use crate::traffic::Traffic;

/// How much.
struct Size {
    /// Swaps of each kind.
    swaps: u64,
    streams: usize,
    requests: usize,
}

impl Size {
    fn of_this_run() -> Self {
        let (swaps, streams, requests) = if full() { (100, 500, 8) } else { (12, 100, 4) };
        Self {
            swaps,
            streams,
            requests,
        }
    }
}

/// A model server of many slots, on which a token takes some 50 ms.
fn roomy(name: &str) -> ModelServer {
    let mut options = Options::for_profile(Profile::Rtx3060Qwen2);
    options.model_id = name.to_owned();
    options.speed = 0.5;
    options.limits.max_concurrent_requests = 1000;
    ModelServer::with(options)
}

struct Stage {
    proxy: TestProxy,
    streams: [ModelServer; 2],
    _models: [ModelServer; 2],
}

impl Stage {
    async fn start() -> Self {
        let models = [ModelServer::named("small"), ModelServer::named("big")];
        let streams = [roomy("one"), roomy("two")];
        let routes = json!({"stream": "streams", "probe": "small"});
        let tiers = Guest::of("tier_router");
        let proxy = TestProxy::new()
            .model(&models[0])
            .model(&models[1])
            .pool("streams", [streams[0].url(), streams[1].url()])
            .set("default_pool", "small")
            .filter(tiers.settings(json!({"header": "x-tier", "routes": routes})))
            .filter(Guest::of("bench_typical"))
            .compiles_anew()
            .start()
            .await;
        Self {
            proxy,
            streams,
            _models: models,
        }
    }

    /// Waits until a client of a tier is answered by a model.
    async fn answered(&self, tier: &str, model: &str) {
        let request = self.proxy.request("/v1/generate", &unified("llama3"));
        let request = request.header("x-tier", tier);
        until(&format!("{tier} is answered by {model}"), async || {
            let answer = request.try_clone().unwrap().send().await.unwrap();
            (model_of(answer).await == model).then_some(())
        })
        .await;
    }

    /// Changes what a tier's clients get by other settings.
    async fn swap_settings(&mut self, model: &str) -> Duration {
        let settings = self.proxy.setup().clone();
        let written = Instant::now();
        self.proxy
            .write(&settings.set("filters.0.settings.routes.probe", model));
        self.answered("probe", model).await;
        written.elapsed()
    }

    /// Changes what a tier's clients get by another filter, never seen before.
    async fn swap_filter(&self, guest: &str, number: u64, model: &str) -> Duration {
        let bytes = unlike(&guest_bytes(guest), number);
        let written = Instant::now();
        self.proxy.write_module("bench_typical", &bytes);
        self.answered("gold", model).await;
        written.elapsed()
    }

    async fn open(&self, streams: usize) {
        until("streams are open", async || {
            let running = self.streams.iter().map(|server| server.stats().running);
            (running.sum::<usize>() >= streams).then_some(())
        })
        .await;
    }
}

fn report(what: &str, mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 100];
    let (half, most, max) = (at(50), at(99), at(100));
    eprintln!(
        "{what}: {} swaps, live after {half:.0?} P50, {most:.0?} P99, {max:.0?} max",
        took.len()
    );
    max
}

#[tokio::test(flavor = "multi_thread")]
async fn swaps_of_filters_and_settings_fail_and_truncate_nothing() {
    let size = Size::of_this_run();
    let mut stage = Stage::start().await;
    let streams = Traffic::streams(&stage.proxy, size.streams, 40);
    stage.open(size.streams).await;
    let requests = Traffic::requests(&stage.proxy, size.requests);
    let (mut by_settings, mut by_filters) = (Vec::new(), Vec::new());
    for number in 0..size.swaps {
        let model = if number % 2 == 0 { "big" } else { "small" };
        by_settings.push(stage.swap_settings(model).await);
        let (guest, model) = if number % 2 == 0 {
            ("allow_all", "small")
        } else {
            ("bench_typical", "big")
        };
        by_filters.push(stage.swap_filter(guest, number, model).await);
    }
    let [streams, requests] = [streams.stop().await, requests.stop().await];
    streams.assert_untouched();
    requests.assert_untouched();
    eprintln!(
        "{} streams and {} requests, none failed or truncated",
        streams.answered, requests.answered
    );
    let live = stage.proxy.generation().await;
    assert_eq!((live.id, live.last_error), (1 + 2 * size.swaps, None));
    let slowest = report("settings", by_settings).max(report("filters", by_filters));
    // What is wanted is 250 ms on an idle machine; this is for one that is not.
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
}
