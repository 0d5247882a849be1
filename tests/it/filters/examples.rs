//! A filter of one's own, loaded into a gateway that runs.

use headworks_tests::{Guest, ModelServer, TestProxy, run};
use serde_json::json;

use crate::support::{ask, model_of};
use crate::traffic::Traffic;

#[tokio::test]
async fn the_tier_router_is_loaded_while_requests_run() {
    let (small, big) = (ModelServer::named("small"), ModelServer::named("big"));
    let setup = TestProxy::new().model(&small).model(&big);
    let mut proxy = setup.set("default_pool", "small").start().await;
    let traffic = Traffic::requests(&proxy, 4);
    let gold = async |proxy: &TestProxy| {
        let request = proxy.request("/generate", &ask(2)).header("x-tier", "gold");
        model_of(request.send().await.unwrap()).await
    };
    assert_eq!(gold(&proxy).await, "small");

    let settings = json!({"header": "x-tier", "routes": {"gold": "big"}});
    let tiers = Guest::of("tier_router").settings(settings);
    proxy.lay(&tiers);
    let loaded = proxy.rewrite_config(|config| *config = config.clone().filter(tiers));
    loaded.await.unwrap();
    assert_eq!(gold(&proxy).await, "big");

    let refused = proxy.rewrite_config(|config| {
        config.change("filters.0.settings.routes.gold", 3);
    });
    assert!(
        refused
            .await
            .unwrap_err()
            .contains("filters[0].settings.routes.gold")
    );
    assert_eq!(gold(&proxy).await, "big");
    traffic.stop().await.assert_untouched();
}

#[tokio::test]
async fn each_of_the_policies_is_loaded_and_places_requests() {
    let qwen = ModelServer::named("qwen2");
    for (policy, settings) in [
        ("policy_round_robin", json!({})),
        ("policy_least_connections", json!({})),
        ("policy_p2c", json!({})),
        ("policy_fixed_limit", json!({"most": 10})),
        ("policy_gradient", json!({})),
        ("policy_gradient2", json!({})),
        ("policy_chwbl", json!({})),
    ] {
        let filter = Guest::of(policy).settings(settings);
        let proxy = TestProxy::to(&qwen).filter(filter).start().await;
        // The second by what was learnt from the first.
        for _ in 0..2 {
            let answer = proxy.post("/generate", ask(2)).await;
            assert_eq!(answer.status(), 200, "{policy}");
            proxy
                .wait_for_metric("headworks_gateway_in_flight", 0.0)
                .await;
        }
        let calls = format!("headworks_filter_calls_total{{filter=\"{policy}\",hook=\"place\"}}");
        assert_eq!(proxy.metric(&calls).await, 2.0, "{policy}");
        let metrics = proxy.metrics().await;
        let failed = metrics.contains("headworks_filter_failures_total{");
        assert!(!failed, "{policy}: {metrics}");
    }
}

#[test]
fn the_configurations_of_examples_are_good() {
    for example in ["policies", "tier-router"] {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let ran = run([
            "check",
            &format!("{root}/examples/{example}/headworks.toml"),
        ]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
}
