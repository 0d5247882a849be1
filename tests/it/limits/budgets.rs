//! Budgets hold across requests, whatever comes at once.

use std::time::{Duration, Instant};

use futures::future::join_all;
use headworks_tests::{Fault, FaultKind, ModelServer, Options, Setup, TestProxy, Told, until};
use serde_json::{Value, json};

use super::{keys_file, limits, new_key, stop, usage, used};
use crate::support::{ask, full, openai_error, tgi_error};

#[tokio::test]
async fn a_budget_that_is_used_up_refuses_and_says_when_to_come_back() {
    let qwen = ModelServer::named("qwen2");
    let budgets = json!([{"name": "all", "requests": 3, "burst": 3, "per": "minute"}]);
    let proxy = TestProxy::to(&qwen).filter(limits(&budgets)).start().await;
    for left in ["2", "1", "0"] {
        let answer = proxy.post("/generate", ask(4)).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-ratelimit-limit-requests"], "3");
        assert_eq!(answer.headers()["x-ratelimit-remaining-requests"], left);
        assert!(answer.headers().contains_key("x-ratelimit-reset-requests"));
    }
    let refused = proxy.post("/generate", ask(4)).await;
    let headers = refused.headers().clone();
    let number = |name: &str| headers[name].to_str().unwrap().parse::<u64>().unwrap();
    assert!((1..=20).contains(&number("retry-after")));
    assert!((1..=20_000).contains(&number("retry-after-ms")));
    assert_eq!(number("x-ratelimit-remaining-requests"), 0);
    let (status, code, message) = tgi_error(refused).await;
    assert_eq!((status, code.as_str()), (429, "rate_limit_exceeded"));
    assert!(message.contains("3 requests per minute"), "{message}");
    assert!(message.contains("`all`"), "{message}");
    assert_eq!(qwen.seen(), 3);
    let refused = proxy
        .metric("headworks_limits_refused_total{budget=\"all\"}")
        .await;
    assert_eq!(refused, 1.0);
}

#[tokio::test]
async fn each_tenant_has_its_own_and_one_that_looks_on_refuses_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = keys_file(folder.path());
    let keys = ["acme", "umbrella"].map(|tenant| new_key(&file, tenant, &[]));
    let qwen = ModelServer::named("qwen2");
    let budgets = json!([
        {"name": "each", "requests": 2, "burst": 2, "per": "hour", "by": ["tenant"]},
        {"name": "watch", "requests": 1, "per": "hour", "shadow": true},
        {"name": "others", "requests": 1, "per": "hour", "only": {"tenants": ["nobody"]}},
    ]);
    let proxy = TestProxy::to(&qwen)
        .filter(limits(&budgets))
        .set("identity.keys_file", &file)
        .start()
        .await;
    for key in &keys {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            let request = proxy.request("/generate", &ask(4)).bearer_auth(key);
            statuses.push(request.send().await.unwrap().status().as_u16());
        }
        assert_eq!(statuses, [200, 200, 429]);
    }
    let shadowed = "headworks_limits_would_be_refused_total{budget=\"watch\"}";
    assert_eq!(proxy.metric(shadowed).await, 3.0);
}

#[tokio::test]
async fn exchanges_at_one_time_are_counted_until_they_end() {
    let qwen = ModelServer::paced("qwen2", 1.0);
    let budgets = json!([{"name": "open", "concurrent": 2}]);
    let proxy = TestProxy::to(&qwen).filter(limits(&budgets)).start().await;
    let running = [proxy.stream(4000).await, proxy.stream(4000).await];
    let (status, _, message) = tgi_error(proxy.post("/generate", ask(4)).await).await;
    assert_eq!(status, 429);
    assert!(message.contains("2 exchanges at one time"), "{message}");
    // Of one the client leaves. Those that take its place end, one after another.
    let [_first, second] = running;
    drop(second);
    for _ in 0..3 {
        until("there is room again", async || {
            let answer = proxy.post("/generate", ask(1)).await;
            (answer.status() == 200).then_some(())
        })
        .await;
    }
}

/// Tokens that the upstream told: the whole truth.
pub(super) fn told(model: &ModelServer) -> u64 {
    let stats = model.stats();
    stats.told_prompts + stats.told_tokens
}

#[tokio::test]
async fn a_thousand_at_once_are_let_in_as_far_as_the_budget_goes() {
    const BUDGET: u64 = 100_000;
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("usage.db");
    let mut options = Options::named("qwen2");
    options.limits.max_concurrent_requests = 2000;
    let model = ModelServer::with(options);
    // Some break off in their middle.
    model.inject(Fault {
        percent: 5.0,
        ..FaultKind::ErrorEvent { tokens: 50 }.into()
    });
    // A day's budget, so that nothing comes back meanwhile.
    let budgets = json!([{"name": "day", "tokens": BUDGET, "per": "day"}]);
    let mut proxy = TestProxy::to(&model)
        .filter(limits(&budgets))
        .set("usage.file", &ledger)
        // A thousand connections at once to a server of one thread.
        .set("pools.qwen2.timeouts.connect", "30s")
        .start()
        .await;
    // Of this length the gateway's estimate is what the model server counts, which
    // tells it of whole answers only.
    let body = json!({"inputs": "What is a river??", "parameters": {"max_new_tokens": 200}});
    let request = proxy.request("/generate_stream", &body);
    let request = request.header("x-sim-out", "200");
    // How long answers are is learned first.
    for _ in 0..10 {
        Told::by(request.try_clone().unwrap().send().await.unwrap()).await;
    }
    let clients = (0..1000).map(|number| {
        let request = request.try_clone().unwrap();
        async move {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            // Every tenth leaves in the middle.
            if status == 200 && number % 10 != 0 {
                Told::by(answer).await;
            }
            status
        }
    });
    let reloads = async {
        for depth in 1..5 {
            let change = |setup: &mut Setup| setup.change("pools.qwen2.queue.depth", depth);
            proxy.rewrite_config(change).await.unwrap();
        }
    };
    let (statuses, ()) = futures::join!(join_all(clients), reloads);
    let admitted = statuses.iter().filter(|status| **status == 200).count();
    let others = statuses.iter().find(|status| ![200, 429].contains(*status));
    assert_eq!(others, None);
    assert!((1..1000).contains(&admitted), "{admitted}");
    until("all has ended", async || {
        let idle = proxy.metric("headworks_gateway_in_flight").await == 0.0;
        (idle && model.stats().open == 0).then_some(())
    })
    .await;
    assert!(told(&model) <= BUDGET, "{} of {BUDGET}", told(&model));
    until("the ledger has it all", async || {
        (used(&ledger) == told(&model)).then_some(())
    })
    .await;
    eprintln!(
        "{admitted} of 1000 let in, {} of {BUDGET} tokens used, the ledger has {}",
        told(&model),
        used(&ledger)
    );
    let rows = usage(&ledger, &["--by", "model"]);
    assert_eq!(rows[0]["model"], Value::from("qwen2"), "{rows}");
}

#[tokio::test]
async fn what_a_day_may_cost_is_remembered_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("usage.db");
    let model = ModelServer::named("qwen2");
    let budgets = json!([{"name": "day", "tokens": 30, "per": "day", "by": ["tenant"]}]);
    let setup = || {
        TestProxy::to(&model)
            .filter(limits(&budgets))
            .set("usage.file", &ledger)
    };
    let chat =
        json!({"model": "qwen2", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 8});
    let proxy = setup().start().await;
    let path = "/v1/chat/completions";
    assert_eq!(proxy.post(path, chat.clone()).await.status(), 200);
    stop(&proxy).await;
    let before = used(&ledger);
    assert!(before > 0);
    let proxy = setup().start().await;
    let answer = proxy.post(path, chat.clone()).await;
    let remaining = answer.headers()["x-ratelimit-remaining-tokens"]
        .to_str()
        .unwrap();
    let remaining: u64 = remaining.parse().unwrap();
    assert!(
        remaining <= 30 - before,
        "{remaining} left, {before} used before"
    );
    let mut last = answer;
    for _ in 0..4 {
        last = proxy.post(path, chat.clone()).await;
    }
    let (status, code, message) = openai_error(last).await;
    assert_eq!(
        (status, code.as_str()),
        (429, "rate_limit_exceeded"),
        "{message}"
    );
}

/// So much of 60 seconds may be used at once.
const BURST: u64 = 500;

/// Demand of twice what there is, for as long as a test of this size may take.
#[tokio::test]
async fn twice_the_demand_uses_all_there_is_and_no_more() {
    // A minute of the limit passes in a second: what counts is the shape.
    const LIMIT: u64 = 6_000;
    let span = Duration::from_secs(if full() { 60 } else { 4 });
    let mut options = Options::named("qwen2");
    options.limits.max_concurrent_requests = 2000;
    let model = ModelServer::with(options);
    let budgets = json!([{"name": "second", "tokens": LIMIT, "per": "second", "burst": BURST}]);
    let proxy = TestProxy::to(&model).filter(limits(&budgets)).start().await;
    // What was used, each 50 ms.
    let mut seen = Vec::new();
    let watch = async {
        loop {
            seen.push((Instant::now(), told(&model)));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let body = json!({"inputs": "What is a river??", "parameters": {"max_new_tokens": 100}});
    let request = proxy.request("/generate_stream", &body);
    let started = Instant::now();
    let load = join_all((0..40).map(|client: u64| {
        let request = request.try_clone().unwrap();
        async move {
            let mut turn = client;
            while started.elapsed() < span {
                turn += 1;
                let tokens = 20 + turn * 37 % 80;
                let request = request.try_clone().unwrap();
                let answer = request.header("x-sim-out", tokens).send().await.unwrap();
                if answer.status() != 200 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                } else if !turn.is_multiple_of(10) {
                    Told::by(answer).await;
                }
            }
        }
    }));
    tokio::select! {
        () = watch => unreachable!("it watches for ever"),
        _ = load => {}
    }
    let worst = seen.iter().map(|(from, before)| {
        let window = seen
            .iter()
            .take_while(|(at, _)| at.duration_since(*from) <= Duration::from_secs(1));
        window.last().map_or(0, |(_, after)| after - before)
    });
    let (worst, used) = (worst.max().unwrap(), seen.last().unwrap().1 - seen[0].1);
    let time = seen
        .last()
        .unwrap()
        .0
        .duration_since(seen[0].0)
        .as_secs_f64();
    let utilisation = used as f64 / (LIMIT as f64 * time);
    eprintln!("worst second {worst} of {LIMIT} + {BURST}, {utilisation:.3} used");
    assert!(worst <= (LIMIT + BURST) * 101 / 100, "{worst}");
    assert!(!full() || utilisation >= 0.96, "{utilisation}");
}
