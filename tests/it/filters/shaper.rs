//! Requests are spread over a pool's endpoints by how much each has to do.

use headworks_tests::{Guest, ModelServer, TestProxy, Told, until};
use serde_json::json;

use crate::support::{ask, tgi_error};
use crate::traffic::Traffic;

fn two() -> [ModelServer; 2] {
    [
        ModelServer::paced("one", 10.0),
        ModelServer::paced("two", 10.0),
    ]
}

fn urls(models: &[ModelServer; 2]) -> [String; 2] {
    [models[0].url(), models[1].url()]
}

#[tokio::test]
async fn both_endpoints_of_a_pool_get_their_share() {
    let models = two();
    for shaper in [false, true] {
        let mut setup = TestProxy::new().pool("pool", urls(&models));
        if shaper {
            setup = setup.filter(Guest::builtin("load-shaper"));
        }
        let proxy = setup.start().await;
        let before = [models[0].seen(), models[1].seen()];
        let traffic = Traffic::requests(&proxy, 8);
        traffic.answers(80).await;
        traffic.stop().await.assert_untouched();
        for (model, before) in models.iter().zip(before) {
            assert!(
                model.seen() - before >= 20,
                "{}: {:?}",
                model.name(),
                model.stats()
            );
        }
    }
}

#[tokio::test]
async fn a_heavier_endpoint_gets_more() {
    let models = two();
    let [one, two] = urls(&models);
    let proxy = TestProxy::new()
        .pool("pool", Vec::<String>::new())
        .set(
            "pools.pool.endpoints",
            [json!({"url": one, "weight": 4}), json!({"url": two})],
        )
        .filter(Guest::builtin("load-shaper"))
        .start()
        .await;
    let traffic = Traffic::requests(&proxy, 10);
    traffic.answers(150).await;
    traffic.stop().await.assert_untouched();
    let seen = models.each_ref().map(ModelServer::seen);
    assert!(seen[0] > seen[1] * 2 && seen[1] > 0, "{seen:?}");
}

#[tokio::test]
async fn requests_beyond_what_endpoints_may_have_wait_their_turn() {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let shaper = Guest::builtin("load-shaper").settings(json!({"max_in_flight": 1}));
    let proxy = TestProxy::to(&qwen)
        .filter(shaper)
        .set("pools.qwen2.queue.depth", 2)
        .start()
        .await;
    let first = proxy.stream(60).await;
    let waiting = [(); 2].map(|()| tokio::spawn(proxy.request("/generate", &ask(2)).send()));
    proxy
        .wait_for_metric("headworks_gateway_in_flight", 3.0)
        .await;
    // The line has room for two.
    let answer = proxy.post("/generate", ask(2)).await;
    assert_eq!(answer.headers()["retry-after"], "1");
    let (status, code, _) = tgi_error(answer).await;
    assert_eq!((status, code.as_str()), (503, "queue_full"));
    assert_eq!(qwen.seen(), 1);
    assert!(Told::by(first).await.is_whole(60));
    for answer in waiting {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
    until("one at a time", async || {
        (qwen.stats().finished == 3).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_request_that_waits_too_long_is_refused() {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let shaper = Guest::builtin("load-shaper").settings(json!({"max_in_flight": 1}));
    let proxy = TestProxy::to(&qwen)
        .filter(shaper)
        .set("pools.qwen2.queue.max_wait", "50ms")
        .start()
        .await;
    let _first = proxy.stream(4000).await;
    let (status, code, _) = tgi_error(proxy.post("/generate", ask(2)).await).await;
    assert_eq!((status, code.as_str()), (503, "queue_timeout"));
    assert_eq!(qwen.seen(), 1);
}

#[tokio::test]
async fn a_pool_that_is_all_down_is_refused_with_when_to_try_again() {
    let gone = ModelServer::named("gone");
    let setup = TestProxy::to(&gone).filter(Guest::builtin("load-shaper"));
    let proxy = setup.start().await;
    gone.kill();
    let (status, ..) = tgi_error(proxy.post("/generate", ask(2)).await).await;
    assert_eq!(status, 502, "the first finds out");
    let answer = proxy.post("/generate", ask(2)).await;
    assert!(answer.headers().contains_key("retry-after"));
    let (status, code, _) = tgi_error(answer).await;
    assert_eq!((status, code.as_str()), (503, "no_endpoint"));
}

#[tokio::test]
async fn an_endpoint_that_is_down_is_passed_over() {
    let (gone, qwen) = (ModelServer::named("gone"), ModelServer::named("qwen2"));
    let proxy = TestProxy::new()
        .pool("pool", [gone.url(), qwen.url()])
        .filter(Guest::builtin("load-shaper"))
        .start()
        .await;
    gone.kill();
    for _ in 0..20 {
        assert_eq!(proxy.post("/generate", ask(2)).await.status(), 200);
    }
    assert_eq!(qwen.seen(), 20);
}

#[tokio::test]
async fn a_request_that_waits_survives_a_reload() {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let shaper = Guest::builtin("load-shaper").settings(json!({"max_in_flight": 1}));
    let mut proxy = TestProxy::to(&qwen).filter(shaper).start().await;
    let first = proxy.stream(60).await;
    let waiting = tokio::spawn(proxy.request("/generate", &ask(2)).send());
    proxy
        .wait_for_metric("headworks_gateway_in_flight", 2.0)
        .await;
    let swapped = proxy.rewrite_config(|config| config.change("server.max_body", "1MiB"));
    assert_eq!(swapped.await, Ok(2));
    assert_eq!(qwen.seen(), 1);
    assert!(Told::by(first).await.is_whole(60));
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
}
