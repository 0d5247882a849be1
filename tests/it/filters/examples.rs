//! A filter of one's own, loaded into a gateway that runs.

use headworks_tests::{Guest, ModelServer, TestProxy};
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
