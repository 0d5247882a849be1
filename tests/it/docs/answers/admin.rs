//! What operators get, as docs/API.md shows it.

use headworks_tests::{FaultKind, ModelServer, TestProxy, until};
use serde_json::Value;

use super::block;
use super::shape::assert_alike;

pub(super) const ENDPOINTS: &str = "{\n  \"pools\"";

#[tokio::test]
async fn endpoints_are_told_as_shown() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).set("pools.qwen2.health.interval", "50ms");
    let proxy = proxy.start().await;
    let told = async || -> Value {
        let answer = proxy.admin_get("/endpoints").await;
        answer.json().await.unwrap()
    };
    let shown: Value = serde_json::from_str(&block("docs/API.md", ENDPOINTS).text).unwrap();
    let read = until("its limits and gauges are read", async || {
        let told = told().await;
        let endpoint = &told["pools"]["qwen2"][0];
        let read = endpoint["limits"].is_object() && endpoint["gauges"].is_object();
        read.then_some(told)
    });
    assert_alike(&shown, &read.await);

    qwen.inject(FaultKind::Unhealthy);
    let seen = proxy.until_health(&qwen.url(), "down").await;
    let kept_out = &shown["pools"]["qwen2"][0];
    assert_eq!(kept_out["health"], "down");
    assert_eq!(kept_out["why"].as_str(), seen.why.as_deref());
}
