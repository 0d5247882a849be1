//! Endpoints are looked after: checked, scraped, drained, and brought back
//! little by little.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use headworks_tests::{FaultKind, ModelServer, Scripted, Setup, TestProxy, Told, until};
use serde_json::json;

use crate::support::{ask, model_of};

/// A gateway to be before these, which it checks all the time.
fn before(models: &[&ModelServer]) -> Setup {
    TestProxy::new()
        .pool("pool", models.iter().map(|model| model.url()))
        .set("pools.pool.health.interval", "20ms")
        .set("pools.pool.health.timeout", "500ms")
        .set("pools.pool.health.scrape_interval", "20ms")
}

/// Sends so many requests, one after the other; each has to be answered.
async fn send(proxy: &TestProxy, requests: usize) {
    for _ in 0..requests {
        model_of(proxy.post("/generate", ask(4)).await).await;
    }
}

#[tokio::test]
async fn a_model_server_that_dies_is_left_out_before_a_request_finds_out() {
    let (dead, alive) = (ModelServer::named("dead"), ModelServer::named("alive"));
    let url = dead.url();
    let proxy = before(&[&dead, &alive]).start().await;
    dead.kill();
    let seen = proxy.until_health(&url, "down").await;
    let why = seen.why.unwrap();
    assert!(
        why.starts_with("it fails its checks: cannot connect: "),
        "{why}"
    );
    send(&proxy, 20).await;
    assert_eq!(alive.seen(), 20);
    let unreachable = proxy.metric("headworks_upstream_unreachable_total{pool=\"pool\"}");
    assert_eq!(unreachable.await, 0.0);
    proxy.logged("unhealthy").await;
}

#[tokio::test]
async fn a_model_server_whose_health_hangs_is_left_out_until_it_answers() {
    let (hung, well) = (ModelServer::named("hung"), ModelServer::named("well"));
    let proxy = before(&[&hung, &well]).start().await;
    hung.inject(FaultKind::Stall);
    let seen = proxy.until_health(&hung.url(), "down").await;
    let why = "it fails its checks: no answer within 500ms";
    assert_eq!(seen.why.as_deref(), Some(why));
    send(&proxy, 20).await;
    assert_eq!((hung.seen(), well.seen()), (0, 20));
    hung.recover();
    proxy.until_health(&hung.url(), "up").await;
}

#[tokio::test]
async fn health_that_is_bad_now_and_then_is_good_enough() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let upstream = Scripted::start(move |_, mut wire| {
        let count = count.clone();
        async move {
            while let Some(request) = wire.message().await {
                let is_check = request.head.starts_with("GET /health ");
                let is_odd = is_check && count.fetch_add(1, SeqCst) % 2 == 1;
                let status = if is_odd { "503 Bad" } else { "200 OK" };
                wire.send(format!(
                    "HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}"
                ))
                .await;
            }
        }
    })
    .await;
    let proxy = TestProxy::new()
        .pool("odd", [upstream.url()])
        .set("pools.odd.health.interval", "5ms")
        .start()
        .await;
    until("it was asked often", async || {
        assert_eq!(proxy.endpoint(&upstream.url()).await.health, "up");
        (asked.load(SeqCst) > 20).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_pool_that_is_unhealthy_as_a_whole_is_asked_all_the_same() {
    let model = ModelServer::named("qwen2");
    let proxy = before(&[&model]).start().await;
    model.inject(FaultKind::Unhealthy);
    let seen = proxy.until_health(&model.url(), "down").await;
    assert_eq!(seen.why.as_deref(), Some("it fails its checks: status 503"));
    assert_eq!(proxy.get("/health").await.status(), 503);
    send(&proxy, 1).await;
    model.recover();
    until("it is healthy", async || {
        (proxy.get("/health").await.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_model_server_that_is_back_gets_its_share_little_by_little() {
    let (back, well) = (ModelServer::named("back"), ModelServer::named("well"));
    let proxy = before(&[&back, &well])
        .set("pools.pool.health.slow_start", "1h")
        .start()
        .await;
    assert_eq!(proxy.endpoint(&back.url()).await.share, 1.0);
    back.inject(FaultKind::Unhealthy);
    proxy.until_health(&back.url(), "down").await;
    back.recover();
    let seen = proxy.until_health(&back.url(), "up").await;
    assert_eq!(seen.share, 0.1);
    send(&proxy, 200).await;
    // An eleventh is what it should be.
    let seen = back.seen();
    assert!((1..60).contains(&seen), "{seen}");
}

#[tokio::test]
async fn a_drained_endpoint_ends_what_runs_and_gets_nothing_new() {
    let (out, stays) = (ModelServer::paced("out", 0.5), ModelServer::named("stays"));
    let mut proxy = before(&[&out]).start().await;
    let running = proxy.stream(20).await;
    proxy
        .rewrite_config(|setup| {
            setup.change("pools.pool.endpoints", [out.url(), stays.url()]);
            setup.change("pools.pool.health.slow_start", "0s");
        })
        .await
        .unwrap();
    let drained = proxy.drain(&out.url()).await;
    assert_eq!(drained, json!({"endpoint": out.url(), "drained": true}));
    send(&proxy, 20).await;
    let told = Told::by(running).await;
    assert_eq!((told.payloads.len(), &told.broke), (20, &None));
    // It stays out while its URL stays.
    proxy
        .rewrite_config(|setup| setup.change("pools.pool.queue.depth", 7))
        .await
        .unwrap();
    send(&proxy, 20).await;
    assert_eq!((out.seen(), stays.seen()), (1, 40));
    let seen = proxy.endpoint(&out.url()).await;
    assert_eq!((seen.health.as_str(), seen.drained), ("down", true));
    assert_eq!(seen.why.as_deref(), Some("an operator drained it"));
    let shown = |name| {
        let url = out.url();
        format!("headworks_upstream_{name}{{pool=\"pool\",endpoint=\"{url}\"}}")
    };
    proxy.wait_for_metric(&shown("drained"), 1.0).await;
    proxy.wait_for_metric(&shown("up"), 0.0).await;
    let back = proxy.undrain(&out.url()).await;
    assert_eq!(back, json!({"endpoint": out.url(), "drained": false}));
    proxy.wait_for_metric(&shown("drained"), 0.0).await;
    until("it gets requests again", async || {
        send(&proxy, 1).await;
        (out.seen() > 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_pool_that_is_drained_as_a_whole_is_asked_all_the_same() {
    let model = ModelServer::named("qwen2");
    let proxy = before(&[&model]).start().await;
    // As a careful client writes it, and not quite as it is shown.
    proxy.drain(&(model.url().replace(':', "%3A") + "/")).await;
    assert_eq!(proxy.get("/health").await.status(), 503);
    send(&proxy, 3).await;
}

#[tokio::test]
async fn a_request_that_failed_elsewhere_does_not_go_to_a_drained_endpoint() {
    let (out, fails) = (ModelServer::named("out"), ModelServer::named("fails"));
    let proxy = before(&[&out, &fails])
        .set("pools.pool.retry_percent", 100)
        .start()
        .await;
    proxy.drain(&out.url()).await;
    fails.inject(FaultKind::Refuse);
    assert_eq!(proxy.post("/generate", ask(4)).await.status(), 429);
    fails.kill();
    assert_eq!(proxy.post("/generate", ask(4)).await.status(), 502);
    assert_eq!(out.seen(), 0);
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_cannot_be_drained() {
    let model = ModelServer::named("qwen2");
    let proxy = before(&[&model]).start().await;
    let answer = proxy.admin_post("/drain?endpoint=http://nowhere:1").await;
    assert_eq!(answer.status(), 404);
    assert!(answer.text().await.unwrap().contains(&model.url()));
    assert_eq!(proxy.admin_post("/undrain").await.status(), 400);
    assert_eq!(proxy.admin_get("/drain").await.status(), 405);
    assert_eq!(proxy.admin_post("/endpoints").await.status(), 405);
}

#[tokio::test]
async fn the_engines_own_queue_and_limits_are_known() {
    let model = ModelServer::named("qwen2");
    let proxy = before(&[&model])
        .set("pools.pool.health.interval", "1h")
        .start()
        .await;
    let url = model.url();
    let known = proxy
        .until_endpoint(&url, "told its limits", |it| it.limits.is_object())
        .await;
    let limits = json!({"model_id": "qwen2", "max_concurrent_requests": 128,
        "max_input_tokens": 8191, "max_total_tokens": 8192});
    assert_eq!(known.limits, limits);
    model.inject(FaultKind::Stall);
    let streams = [(); 5].map(|()| proxy.stream(8));
    let waiting = futures::future::join_all(streams);
    let seen = async {
        model
            .until("requests wait", |stats| stats.running + stats.queued == 5)
            .await;
        let queued = model.stats().queued;
        assert!(queued > 0);
        proxy
            .until_endpoint(&url, "told its queue", |it| {
                it.gauges["queue_depth"] == queued
            })
            .await
    };
    tokio::select! {
        _ = waiting => panic!("a stalled server ended its streams"),
        seen = seen => assert_eq!(seen.in_flight, 5),
    }
}

#[tokio::test]
async fn checks_that_are_turned_off_keep_nobody_out() {
    let model = ModelServer::named("qwen2");
    let mut proxy = before(&[&model]).start().await;
    let url = model.url();
    let series = |name| format!("headworks_upstream_{name}{{pool=\"pool\",endpoint=\"{url}\"}}");
    proxy.wait_for_metric(&series("up"), 1.0).await;
    model.inject(FaultKind::Unhealthy);
    proxy.until_health(&url, "down").await;
    proxy.wait_for_metric(&series("up"), 0.0).await;
    assert!(proxy.metric(&series("failed_checks_total")).await >= 2.0);
    proxy
        .rewrite_config(|setup| setup.change("pools.pool.health.interval", "0s"))
        .await
        .unwrap();
    proxy.until_health(&url, "up").await;
    proxy.wait_for_metric(&series("up"), 1.0).await;
}
