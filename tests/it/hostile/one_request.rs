//! What a filter that fails does to the request that it failed on.

use headworks_tests::{Guest, ModelServer, TestProxy, until};
use serde_json::Value;

use crate::support::{ask, chat, openai_error, tgi_error};

/// Guests that fail on every request, the hook they fail in, and how.
const HOSTILE: [(&str, &str, &str, &str); 8] = [
    ("traps", "on-request", "trap", "unreachable"),
    ("panics", "on-request", "panic", "oh no"),
    (
        "loops",
        "on-request",
        "deadline",
        "ran past its deadline of 10ms",
    ),
    ("hoards", "on-request", "memory", "`max_memory`"),
    (
        "recurses",
        "on-request",
        "stack",
        "called itself too deeply",
    ),
    ("routes_nowhere", "on-request", "bad-call", "nowhere"),
    ("reads_content", "on-request", "bad-call", "content"),
    ("places_nowhere", "place", "bad-answer", "999"),
];

/// The line that was logged of a failure.
async fn line(proxy: &TestProxy, filter: &str) -> Value {
    until("the failure is logged", async || {
        let logs = proxy.logs();
        let mut lines = logs
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let failed =
            |line: &Value| line["fields"]["filter"] == filter && line["fields"]["hook"].is_string();
        lines.find(failed)
    })
    .await
}

#[tokio::test]
async fn a_filter_that_fails_costs_the_request_it_failed_on() {
    for (guest, hook, kind, reason) in HOSTILE {
        let qwen = ModelServer::named("qwen2");
        let mut setup = TestProxy::to(&qwen).filter(Guest::of(guest));
        // How fast a machine fills memory or a stack is not what is looked at.
        if kind != "deadline" {
            setup = setup.set("filters.0.deadline", "1s");
        }
        let proxy = setup.start().await;
        for _ in 0..3 {
            let answer = proxy.post("/v1/chat/completions", chat("qwen2")).await;
            let (status, code, message) = openai_error(answer).await;
            assert_eq!((status, code.as_str()), (500, "filter_failed"), "{guest}");
            assert_eq!(message, format!("the filter `{guest}` failed"));
        }
        let (status, code, _) = tgi_error(
            proxy
                .post("/generate_stream", {
                    let mut body = ask(4);
                    body["messages"] = chat("qwen2")["messages"].clone();
                    body
                })
                .await,
        )
        .await;
        // This one looks for a chat, which is not there.
        if guest != "reads_content" {
            assert_eq!((status, code.as_str()), (500, "filter_failed"), "{guest}");
        }
        assert_eq!(proxy.admin_get("/healthz").await.status(), 200);
        assert_eq!(proxy.get("/v1/models").await.status(), 200);

        let said = line(&proxy, guest).await["fields"].clone();
        assert_eq!(said["hook"], hook, "{said}");
        assert!(said.to_string().contains(reason), "{guest}: {said}");
        let digest = proxy.generation().await.filters.remove(0).digest;
        assert!(said["digest"].as_str().unwrap().contains(&digest), "{said}");
        let series = format!(
            "headworks_filter_failures_total{{filter=\"{guest}\",hook=\"{hook}\",kind=\"{kind}\"}}"
        );
        assert!(
            proxy.metric(&series).await >= 3.0,
            "{series}: {}",
            proxy.metrics().await
        );
    }
}

#[tokio::test]
async fn a_filter_that_may_fail_is_passed_over() {
    for (guest, ..) in HOSTILE {
        let qwen = ModelServer::named("qwen2");
        let open = Guest::of(guest).set("on_error", "fail-open");
        let proxy = TestProxy::to(&qwen).filter(open).start().await;
        for _ in 0..10 {
            let answer = proxy.post("/v1/chat/completions", chat("qwen2")).await;
            assert_eq!(answer.status(), 200, "{guest}");
        }
        assert_eq!(qwen.seen(), 10, "{guest}");
    }
}

#[tokio::test]
async fn a_filter_that_fails_is_replaced_while_running() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen)
        .filter(Guest::of("traps"))
        .start()
        .await;
    for (guest, status) in [("allow_all", 200), ("panics", 500), ("allow_all", 200)] {
        proxy.replace_guest("traps", guest).await.unwrap();
        assert_eq!(proxy.chat("hi").await.status(), status, "{guest}");
    }
}

#[tokio::test]
async fn filters_before_the_one_that_fails_learn_how_it_ended() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen)
        .filter(Guest::builtin("telemetry"))
        .filter(Guest::of("traps"))
        .start()
        .await;
    assert_eq!(proxy.chat("hi").await.status(), 500);
    proxy.wait_for_metric("headworks_requests_total", 1.0).await;
    proxy
        .wait_for_metric("headworks_requests_errors_total{end=\"internal\"}", 1.0)
        .await;
    proxy
        .wait_for_metric("headworks_requests_status_total{status=\"500\"}", 1.0)
        .await;
}

#[tokio::test]
async fn a_filter_that_keeps_failing_is_not_called_for_a_while() {
    let qwen = ModelServer::named("qwen2");
    let open = Guest::of("traps").set("on_error", "fail-open");
    let breaker = toml::toml! {
        failures = 3
        cooldown = "10m"
    };
    let proxy = TestProxy::to(&qwen)
        .filter(open.set("breaker", breaker))
        .start()
        .await;
    for _ in 0..20 {
        assert_eq!(proxy.chat("hi").await.status(), 200);
    }
    let failures =
        "headworks_filter_failures_total{filter=\"traps\",hook=\"on-request\",kind=\"trap\"}";
    assert_eq!(proxy.metric(failures).await, 3.0);
    assert_eq!(
        proxy
            .metric("headworks_filter_calls_skipped_total{filter=\"traps\"}")
            .await,
        17.0
    );
    let is_out = async || {
        let open = "headworks_filter_breaker_open{filter=\"traps\"}";
        proxy.metric(open).await == 1.0
    };
    assert!(is_out().await);
    // What is not applied changes nothing that is shown.
    proxy.write_config("nonsense").await.unwrap_err();
    assert!(is_out().await);
    proxy.write_config(proxy.setup().text()).await.unwrap();
    assert!(!is_out().await);
}

#[tokio::test]
async fn a_filter_that_floods_the_log_is_cut_short() {
    let qwen = ModelServer::named("qwen2");
    let patient = Guest::of("logs_much").set("deadline", "5s");
    let proxy = TestProxy::to(&qwen).filter(patient).start().await;
    assert_eq!(proxy.chat("hi").await.status(), 200);
    let dropped = proxy.metric("headworks_filter_log_lines_dropped_total{filter=\"logs_much\"}");
    assert!(dropped.await > 0.0, "{}", proxy.metrics().await);
    let logs = proxy.logs();
    assert!(logs.len() < 1 << 20, "{} bytes", logs.len());
}

#[tokio::test]
async fn a_filter_with_the_grant_reads_what_else_it_may_not() {
    let qwen = ModelServer::named("qwen2");
    let granted = Guest::of("reads_content").set("grants", ["content"]);
    let proxy = TestProxy::to(&qwen).filter(granted).start().await;
    assert_eq!(proxy.chat("a secret of mine").await.status(), 200);
    assert!(
        !proxy.logs().contains("a secret of mine"),
        "the prompt is in the log"
    );
}
