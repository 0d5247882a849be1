use std::fs;
use std::path::Path;

use headworks_tests::{ModelServer, Signal, TestProxy, until};
use serde_json::Value;

use crate::support::{ask, unified};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The lines of a log, once there are so many.
async fn lines(file: &Path, count: usize) -> Vec<Value> {
    until("the access log has its lines", async || {
        let text = fs::read_to_string(file).ok()?;
        let lines = text
            .lines()
            .map(|line| serde_json::from_str(line).expect(line));
        let lines: Vec<Value> = lines.collect();
        (lines.len() >= count).then_some(lines)
    })
    .await
}

#[tokio::test]
async fn each_exchange_is_a_line_without_its_text() {
    let model = ModelServer::named("qwen2");
    let setup = TestProxy::to(&model).set("access_log.file", "access.json");
    let proxy = setup.start().await;
    let request = proxy.request("/v1/generate", &unified("qwen2"));
    let answer = request.header("traceparent", TRACE).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap();
    assert_eq!(model.last().headers["traceparent"], TRACE);

    let file = proxy.folder().join("access.json");
    let line = lines(&file, 1).await.remove(0);
    assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(
        (&line["api"], &line["pool"]),
        (&"unified".into(), &"qwen2".into())
    );
    assert_eq!((&line["status"], &line["end"]), (&200.into(), &"ok".into()));
    assert_eq!(line["endpoint"], model.url());
    assert_eq!(line["output_tokens"], 8);
    assert!(line["latency_ms"].as_f64() > Some(0.0) && line["own_ms"].as_f64() > Some(0.0));
    assert!(!line.to_string().contains("river"), "{line}");
}

#[tokio::test]
async fn what_strangers_send_stays_within_its_line() {
    let model = ModelServer::named("qwen2");
    let setup = TestProxy::to(&model).set("access_log.file", "access.json");
    let proxy = setup.start().await;
    let hostile = [
        "a\nb",
        "{\"end\":\"ok\"}",
        "emoji 🚰",
        &"long ".repeat(2_000),
    ];
    for name in hostile {
        proxy.post("/v1/generate", unified(name)).await;
    }
    let file = proxy.folder().join("access.json");
    let lines = lines(&file, hostile.len()).await;
    assert_eq!(lines.len(), hostile.len());
    // Models are those that the configuration knows.
    assert!(
        lines.iter().all(|line| line["model"] == "other"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_log_that_was_renamed_is_begun_anew_by_a_reload() {
    let model = ModelServer::named("qwen2");
    let setup = TestProxy::to(&model).set("access_log.file", "access.json");
    let proxy = setup.start().await;
    let (file, old) = ["access.json", "access.json.1"]
        .map(|name| proxy.folder().join(name))
        .into();
    proxy.post("/generate", ask(1)).await;
    lines(&file, 1).await;
    fs::rename(&file, &old).unwrap();
    proxy.signal(Signal::SIGHUP);
    // The file is there a moment before it is written to.
    proxy.wait_for_generation(2).await;
    proxy.post("/generate", ask(1)).await;
    lines(&file, 1).await;
    assert_eq!(lines(&old, 1).await.len(), 1);
}

#[tokio::test]
async fn a_log_that_cannot_be_opened_is_told_with_its_place() {
    let ran = TestProxy::to(&ModelServer::named("qwen2"))
        .set("access_log.file", "/nowhere/at/all/access.json")
        .run();
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("access_log.file  cannot be opened:"),
        "{}",
        ran.stderr
    );
}
