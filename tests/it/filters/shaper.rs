//! Requests are spread over a pool's endpoints by how much each has to do.

use headworks_tests::{FaultKind, Guest, ModelServer, TestProxy, until};
use serde_json::json;

use crate::support::{WAITING, ask, tgi_error};
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
        // How soon both have theirs is a matter of the machine; that they do is not.
        for (model, before) in models.iter().zip(before) {
            until("each has its share", async || {
                (model.seen() - before >= 20).then_some(())
            })
            .await;
        }
        traffic.stop().await.assert_untouched();
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
    let first = proxy.stream(4000).await;
    let waiting = [(); 2].map(|()| tokio::spawn(proxy.request("/generate", &ask(2)).send()));
    // The line has room for two.
    proxy.wait_for_metric(WAITING, 2.0).await;
    let answer = proxy.post("/generate", ask(2)).await;
    assert_eq!(answer.headers()["retry-after"], "1");
    let (status, code, _) = tgi_error(answer).await;
    assert_eq!((status, code.as_str()), (503, "queue_full"));
    assert_eq!(qwen.seen(), 1);
    drop(first);
    for answer in waiting {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
    proxy.wait_for_metric(WAITING, 0.0).await;
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
    let first = proxy.stream(4000).await;
    let waiting = tokio::spawn(proxy.request("/generate", &ask(2)).send());
    proxy.wait_for_metric(WAITING, 1.0).await;
    let swapped = proxy.rewrite_config(|config| config.change("server.max_body", "1MiB"));
    assert_eq!(swapped.await, Ok(2));
    assert_eq!(qwen.seen(), 1);
    drop(first);
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
}

const ASKS_WHY: &str = "x-headworks-decision";

/// A proxy with an objective, whose endpoints have shown how fast they are.
async fn experienced(pool: &[ModelServer], p99: &str) -> TestProxy {
    let shaper = Guest::builtin("load-shaper").settings(json!({ "p99": p99 }));
    let urls = pool.iter().map(ModelServer::url);
    let proxy = TestProxy::new().pool("pool", urls).filter(shaper);
    // What is known of them is from requests alone.
    let proxy = proxy.set("pools.pool.health.interval", "0s");
    let proxy = proxy.start().await;
    until("all endpoints are known", async || {
        // One of which nothing is known goes before all others.
        let request = proxy.request("/generate", &ask(24));
        let answer = request.header(ASKS_WHY, "?1").send().await.unwrap();
        let told = answer.headers()[ASKS_WHY].to_str().unwrap();
        (!told.contains("nothing is known")).then_some(())
    })
    .await;
    proxy
}

#[tokio::test]
async fn who_asks_why_is_told_and_nobody_else() {
    let pool = [ModelServer::paced("m", 1.0)];
    let proxy = experienced(&pool, "10s").await;
    let request = proxy.request("/generate", &ask(4));
    let answer = request.header(ASKS_WHY, "?1").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let told = answer.headers()[ASKS_WHY].to_str().unwrap();
    for part in [
        "endpoint=0, why=\"",
        "predicted-ms=",
        "objective-ms=10000",
        "queued-ms=0",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!pool[0].last().headers.contains_key(ASKS_WHY));
    let answer = proxy.post("/generate", ask(4)).await;
    assert!(!answer.headers().contains_key(ASKS_WHY));
}

#[tokio::test]
async fn what_would_be_late_is_refused_at_once_and_told_when_to_come_back() {
    let pool = [ModelServer::paced("m", 1.0)];
    let proxy = experienced(&pool, "300ms").await;
    let many = [(); 40].map(|()| {
        let request = proxy.request("/generate", &ask(24));
        tokio::spawn(request.header(ASKS_WHY, "?1").send())
    });
    let mut refused = 0;
    for answer in many {
        let answer = answer.await.unwrap().unwrap();
        if answer.status() == 200 {
            continue;
        }
        refused += 1;
        let after = answer.headers()["retry-after"].to_str().unwrap();
        assert!(after.parse::<u32>().unwrap() >= 1);
        assert!(answer.headers().contains_key("retry-after-ms"));
        let why = answer.headers()[ASKS_WHY].to_str().unwrap();
        assert!(why.contains("no endpoint would answer in time"), "{why}");
        let (status, code, _) = tgi_error(answer).await;
        assert_eq!((status, &*code), (503, "overloaded"));
    }
    assert!((1..40).contains(&refused), "{refused}");
}

#[tokio::test]
async fn a_request_leaves_an_endpoint_that_stalls_before_its_first_token() {
    let pool = ["one", "two"].map(|name| ModelServer::paced(name, 1.0));
    let proxy = experienced(&pool, "10s").await;
    pool[0].inject(FaultKind::Stall);
    let before = pool[0].seen();
    let mut asked = Vec::new();
    until("the endpoint that stalls has a request", async || {
        // Of two at once the faster endpoint does not get both.
        let two = [(); 2].map(|()| proxy.request("/generate", &ask(4)).send());
        asked.extend(two.map(tokio::spawn));
        (pool[0].seen() > before).then_some(())
    })
    .await;
    let failures = r#"headworks_upstream_failures_total{pool="pool",kind="stalled"}"#;
    until("one leaves it", async || {
        (proxy.metric(failures).await >= 1.0).then_some(())
    })
    .await;
    let state = proxy.until_health(&pool[0].url(), "degraded").await;
    assert!(state.why.unwrap().contains("shows nothing"));
    // As many leave as the pool has retries; whoever had to stay is answered too.
    pool[0].recover();
    for answer in asked {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
}
