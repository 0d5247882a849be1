//! Several gateways share budgets by a Redis, which may be slow, or gone, or come
//! back without what it knew.

use std::time::{Duration, Instant};

use futures::future::join_all;
use headworks_tests::{ModelServer, Options, RedisServer, Setup, Signal, TestProxy, Told, until};
use serde_json::{Value, json};

use super::budgets::told;
use super::{limits, stop};
use crate::support::{ask, full, tgi_error};

/// A gateway to be that shares budgets.
fn sharing(redis: &RedisServer, model: &ModelServer, budgets: &Value) -> Setup {
    TestProxy::to(model)
        .filter(limits(budgets))
        .set("shared_limits.redis", redis.url())
}

/// A model server for as much as comes.
fn model() -> ModelServer {
    let mut options = Options::named("qwen2");
    options.limits.max_concurrent_requests = 2000;
    ModelServer::with(options)
}

/// So many gateways that share a budget.
async fn gateways(
    count: usize,
    redis: &RedisServer,
    model: &ModelServer,
    budgets: &Value,
) -> Vec<TestProxy> {
    join_all((0..count).map(|_| sharing(redis, model, budgets).start())).await
}

/// What `shared_limits` shows of Redis.
async fn is_up(proxy: &TestProxy) -> bool {
    proxy.metric("headworks_limits_store_up").await == 1.0
}

async fn knows(redis: &RedisServer, gateways: usize) {
    until("Redis knows all gateways", async || {
        let count = redis.ask(&["ZCARD", "headworks:gateways"])?;
        (count == gateways.to_string()).then_some(())
    })
    .await;
}

/// Demand on all gateways for some time, of more than there is. Returns how many
/// answers had which status.
async fn demand(proxies: &[TestProxy], span: Duration) -> Vec<(u16, usize)> {
    let body = json!({"inputs": "What is a river??", "parameters": {"max_new_tokens": 100}});
    let started = Instant::now();
    let clients = (0..45_usize).map(|client| {
        let request = proxies[client % proxies.len()].request("/generate_stream", &body);
        async move {
            let mut seen = Vec::new();
            while started.elapsed() < span {
                let request = request.try_clone().unwrap();
                let tokens = 20 + (client + seen.len()) * 37 % 80;
                let answer = request.header("x-sim-out", tokens).send().await.unwrap();
                seen.push(answer.status().as_u16());
                if answer.status() != 200 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                } else if !seen.len().is_multiple_of(10) {
                    Told::by(answer).await;
                }
            }
            seen
        }
    });
    let mut counts: Vec<(u16, usize)> = Vec::new();
    for status in join_all(clients).await.into_iter().flatten() {
        match counts.iter_mut().find(|(of, _)| *of == status) {
            Some((_, count)) => *count += 1,
            None => counts.push((status, 1)),
        }
    }
    counts.sort_unstable();
    counts
}

const RATE: u64 = 2000;
const BURST: u64 = 1000;

fn a_second() -> Value {
    json!([{"name": "second", "tokens": RATE, "per": "second", "burst": BURST}])
}

/// What a budget of `a_second` has in some time at most, and one in a hundred.
fn most(span: Duration) -> u64 {
    let all = BURST as f64 + RATE as f64 * span.as_secs_f64();
    (all * 1.01) as u64
}

fn long() -> Duration {
    Duration::from_secs(if full() { 60 } else { 4 })
}

#[tokio::test]
async fn three_gateways_let_in_what_one_budget_has() {
    let (redis, model) = (RedisServer::start().await, model());
    let proxies = gateways(3, &redis, &model, &a_second()).await;
    let started = Instant::now();
    let counts = demand(&proxies, long()).await;
    let span = started.elapsed();
    let (used, most) = (told(&model), most(span));
    eprintln!("three gateways used {used} of {most} in {span:?}: {counts:?}");
    assert!(used <= most, "{used} of {most}");
    assert!(used >= most * 8 / 10, "{used} of {most}");
    assert!(counts.iter().all(|(status, _)| [200, 429].contains(status)));
    for proxy in &proxies {
        assert!(is_up(proxy).await);
    }
}

/// Redis is killed in the middle of demand, and started anew without what it knew.
async fn while_redis_dies(without: &str) -> (Vec<(u16, usize)>, f64) {
    let (mut redis, model) = (RedisServer::start().await, model());
    let setup = || {
        sharing(&redis, &model, &a_second())
            .set("shared_limits.without_redis", without)
            .start()
    };
    let proxies = join_all([setup(), setup(), setup()]).await;
    knows(&redis, 3).await;
    let started = Instant::now();
    let dies = async {
        tokio::time::sleep(long() / 4).await;
        redis.kill();
        tokio::time::sleep(long() / 4).await;
        redis.restart().await;
    };
    let (counts, ()) = tokio::join!(demand(&proxies, long()), dies);
    let span = started.elapsed();
    // What others used in the moment before is known to nobody: little of a
    // minute, and much of a few seconds.
    let moment = if full() { 0 } else { RATE / 2 };
    let (used, most) = (told(&model), most(span) + moment);
    eprintln!("`{without}`: used {used} of {most} in {span:?}: {counts:?}");
    assert!(used <= most, "{used} of {most}");
    for proxy in &proxies {
        until("Redis is found again", async || {
            is_up(proxy).await.then_some(())
        })
        .await;
        assert!(proxy.logs().contains("does not answer"));
    }
    (counts, used as f64 / most as f64)
}

#[tokio::test]
async fn while_redis_is_gone_each_gateway_goes_on_with_its_part() {
    let (counts, utilisation) = while_redis_dies("local").await;
    assert!(utilisation > 0.8, "{utilisation}");
    assert!(counts.iter().all(|(status, _)| [200, 429].contains(status)));
}

#[tokio::test]
async fn while_redis_is_gone_requests_can_be_refused() {
    let (counts, _) = while_redis_dies("refuse").await;
    let expected = |status: &u16| [200, 429, 503].contains(status);
    assert!(counts.iter().all(|(status, _)| expected(status)));
    assert!(counts.iter().any(|(status, _)| *status == 503));
}

#[tokio::test]
async fn a_refusal_without_redis_says_so_and_ends_when_it_is_back() {
    let (mut redis, model) = (RedisServer::start().await, model());
    let budgets = json!([{"name": "all", "requests": 10, "per": "hour", "burst": 10}]);
    let proxy = sharing(&redis, &model, &budgets)
        .set("shared_limits.without_redis", "refuse")
        .start()
        .await;
    let answer = proxy.post("/generate", ask(4)).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-ratelimit-remaining-requests"], "9");
    redis.kill();
    until("it is noticed", async || {
        (!is_up(&proxy).await).then_some(())
    })
    .await;
    let refused = proxy.post("/generate", ask(4)).await;
    assert_eq!(refused.headers()["retry-after"], "1");
    let (status, code, message) = tgi_error(refused).await;
    assert_eq!((status, code.as_str()), (503, "limits_unavailable"));
    assert!(message.contains("shared"), "{message}");
    redis.restart().await;
    until("it is found again", async || {
        is_up(&proxy).await.then_some(())
    })
    .await;
    let answer = proxy.post("/generate", ask(4)).await;
    assert_eq!(answer.status(), 200);
    // Redis has forgotten, and is told what was used.
    assert_eq!(answer.headers()["x-ratelimit-remaining-requests"], "8");
}

#[tokio::test]
async fn a_redis_that_is_slow_holds_nobody_up() {
    let (redis, model) = (RedisServer::start().await, model());
    let budgets = json!([{"name": "day", "tokens": 1000, "per": "day"}]);
    let proxy = sharing(&redis, &model, &budgets).start().await;
    assert_eq!(proxy.post("/generate", ask(4)).await.status(), 200);
    redis.stall();
    let started = Instant::now();
    assert_eq!(proxy.post("/generate", ask(4)).await.status(), 200);
    eprintln!(
        "while Redis stands still the first took {:?}",
        started.elapsed()
    );
    let started = Instant::now();
    assert_eq!(proxy.post("/generate", ask(4)).await.status(), 200);
    eprintln!("and the next {:?}", started.elapsed());
    assert!(!is_up(&proxy).await);
    redis.go_on();
    until("it is found again", async || {
        is_up(&proxy).await.then_some(())
    })
    .await;
    let used = || -> Option<u64> {
        let keys = redis.ask(&["KEYS", "headworks:*day*"])?;
        let parts = redis.ask(&["HVALS", &keys])?;
        Some(parts.lines().map(|part| part.parse::<u64>().unwrap()).sum())
    };
    until("Redis knows what was used meanwhile", async || {
        (used()? == told(&model)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_gateway_held_comes_back_when_it_goes_or_is_killed() {
    let redis = RedisServer::start().await;
    let model = ModelServer::paced("qwen2", 0.2);
    let budgets = json!([{"name": "open", "concurrent": 2}]);
    let proxies = gateways(2, &redis, &model, &budgets).await;
    knows(&redis, 2).await;
    let [held, other] = [&proxies[0], &proxies[1]];
    let running = [held.stream(200).await, held.stream(200).await];
    let refused = async || tgi_error(other.post("/generate", ask(4)).await).await.0;
    assert_eq!(refused().await, 429);
    held.signal(Signal::SIGKILL);
    let killed = Instant::now();
    drop(running);
    until("nobody holds it any more", async || {
        let answer = other.post("/generate", ask(1)).await;
        (answer.status() == 200).then_some(())
    })
    .await;
    eprintln!(
        "what was held came back {:?} after the kill",
        killed.elapsed()
    );
    knows(&redis, 1).await;
    // One that stops says so.
    stop(other).await;
    assert_eq!(redis.ask(&["ZCARD", "headworks:gateways"]).unwrap(), "0");
}

#[test]
fn what_is_wrong_with_shared_limits_is_said() {
    let setup = TestProxy::new()
        .pool("qwen2", ["http://127.0.0.1:8081"])
        .set("shared_limits.redis", "http://:secret@127.0.0.1")
        .set("shared_limits.max_wait", "0s")
        .set("shared_limits.without_redis", "ignore");
    let said = setup.check().stderr;
    for part in [
        "must be a URL of a Redis",
        "must be longer than 0",
        "unknown word `ignore`",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("secret@"), "{said}");
}
