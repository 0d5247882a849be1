use headworks_tests::{ModelServer, Ran, TestProxy, run};
use serde_json::Value;

/// Runs the program beside the servers of this test.
async fn ran(args: Vec<String>) -> Ran {
    tokio::task::spawn_blocking(|| run(args)).await.unwrap()
}

/// A second of a few users without pauses.
fn load(url: &str, more: &[&str]) -> Vec<String> {
    let args = ["bench", "--url", url, "--users", "4", "--spawn-rate", "100"];
    let args = args.iter().chain(&["--duration", "1s", "--pause", "0s"]);
    args.chain(more).map(ToString::to_string).collect()
}

#[tokio::test]
async fn users_ask_all_models_and_their_figures_are_told() {
    let models = ["qwen2", "llama3"].map(ModelServer::named);
    let [one, other] = &models;
    let proxy = TestProxy::to(one)
        .model(other)
        .filter(router())
        .start()
        .await;
    let json = proxy.folder().join("figures.json");
    let url = proxy.url("");
    let more = ["--json", json.to_str().unwrap(), "--enforce"];
    let ran = ran(load(&url, &more)).await;
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    for part in [
        "| qwen2",
        "| llama3",
        "| all",
        "first token of qwen2",
        "P99 of answers",
    ] {
        assert!(ran.stdout.contains(part), "{}", ran.stdout);
    }
    let figures: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(figures["all"]["failed"], 0);
    let asked = figures["all"]["requests"].as_u64().unwrap();
    let seen: u64 = models.iter().map(ModelServer::seen).sum();
    // Each model was asked once more, for its first token.
    assert_eq!(asked + 2, seen);
    assert!(
        figures["models"]["qwen2"]["ttft_p50_ms"].is_number(),
        "{figures}"
    );
}

#[tokio::test]
async fn a_missed_target_is_told_and_fails_where_that_was_asked_for() {
    let model = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&model).start().await;
    let more = ["--models", "qwen2", "--whole", "--target-rate", "1000000"];
    let url = proxy.url("");
    let told = ran(load(&url, &more)).await;
    assert_eq!(told.code, Some(0));
    assert!(told.stdout.contains("miss"), "{}", told.stdout);
    let failed = ran(load(&url, &[&more[..], &["--enforce"]].concat())).await;
    assert_eq!(failed.code, Some(1));
    assert!(
        failed.stderr.contains("a target was missed"),
        "{}",
        failed.stderr
    );
}

#[tokio::test]
async fn refusals_are_counted_by_their_kind() {
    let model = ModelServer::named("qwen2");
    let limits = headworks_tests::Guest::builtin("token-limits");
    let limits = limits.settings(serde_json::json!({"max_new_tokens": {"limit": 16}}));
    let proxy = TestProxy::to(&model).filter(limits).start().await;
    let more = ["--models", "qwen2", "--wait", "1s"];
    let ran = ran(load(&proxy.url(""), &more)).await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("qwen2 does not answer"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("422") || ran.stderr.contains("400"),
        "{}",
        ran.stderr
    );
}

#[tokio::test]
async fn a_gateway_says_whether_it_is_ready() {
    let proxy = TestProxy::to(&ModelServer::named("qwen2")).start().await;
    let admin = proxy.admin_address().to_string();
    let args = |admin: &str| ["ready", "--admin", admin].map(str::to_owned).to_vec();
    let ready = ran(args(&admin)).await;
    assert_eq!(ready.code, Some(0), "{}", ready.stderr);
    drop(proxy);
    let gone = ran(args(&admin)).await;
    assert_eq!(gone.code, Some(1));
    assert!(
        gone.stderr.contains("is the gateway running"),
        "{}",
        gone.stderr
    );
}

/// Sends each model's requests to its pool.
fn router() -> headworks_tests::Guest {
    headworks_tests::Guest::builtin("model-router")
}
