//! What was used is written down, and a kill loses next to nothing.

use std::time::{Duration, Instant};

use headworks_tests::{ModelServer, TestProxy, until};
use serde_json::json;

use super::{keys_file, limits, new_key, stop, usage, used};
use crate::support::ask;

#[tokio::test]
async fn usage_is_told_by_day_tenant_key_and_model() {
    let folder = tempfile::tempdir().unwrap();
    let (file, ledger) = (keys_file(folder.path()), folder.path().join("usage.db"));
    let acme = new_key(&file, "acme", &["--class", "gold"]);
    let model = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&model)
        .set("identity.keys_file", &file)
        .set("usage.file", &ledger)
        .start()
        .await;
    for _ in 0..3 {
        let request = proxy.request("/generate", &ask(5)).bearer_auth(&acme);
        let request = request.header("x-sim-out", "5");
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let stats = model.stats();
    let rows = until("it is written down", async || {
        let rows = usage(&ledger, &["--by", "tenant,class,key,model"]);
        (rows[0]["requests"] == 3).then_some(rows)
    })
    .await;
    let id = acme.split('_').nth(1).unwrap();
    let row = &rows[0];
    assert_eq!(
        (&row["tenant"], &row["class"], &row["key"], &row["model"]),
        (&json!("acme"), &json!("gold"), &json!(id), &json!("qwen2"))
    );
    assert_eq!(row["input_tokens"], stats.told_prompts);
    assert_eq!(row["output_tokens"], 15);
}

#[tokio::test]
async fn at_the_end_all_is_written_and_a_kill_loses_no_more_than_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("usage.db");
    let model = ModelServer::named("qwen2");
    let setup = || {
        let budgets = json!([{"name": "minute", "tokens": 10_000_000, "per": "minute"}]);
        TestProxy::to(&model)
            .filter(limits(&budgets))
            .set("usage.file", &ledger)
    };
    let proxy = setup().start().await;
    for _ in 0..20 {
        assert_eq!(proxy.post("/generate", ask(4)).await.status(), 200);
    }
    stop(&proxy).await;
    let stats = model.stats();
    assert_eq!(used(&ledger), stats.told_prompts + stats.told_tokens);

    let proxy = setup().start().await;
    let (started, mut answered) = (Instant::now(), Vec::new());
    while started.elapsed() < Duration::from_millis(1500) {
        assert_eq!(proxy.post("/generate", ask(4)).await.status(), 200);
        answered.push(Instant::now());
    }
    let killed = Instant::now();
    drop(proxy);
    let safe = answered
        .iter()
        .filter(|at| killed.duration_since(**at) >= Duration::from_secs(1));
    let (safe, rows) = (safe.count() as u64, usage(&ledger, &[]));
    let requests = rows[0]["requests"].as_u64().unwrap() - 20;
    assert!(
        requests >= safe,
        "{requests} written, {safe} older than a second"
    );
    eprintln!(
        "{} answered, {safe} of them a second before the kill, {requests} written",
        answered.len()
    );
}
