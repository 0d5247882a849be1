//! Exchanges are traced by OTLP, within the traces of their clients.

use headworks_tests::{Collector, FaultKind, ModelServer, TestProxy};
use serde_json::json;

use crate::support::unified;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{flags}")
}

#[tokio::test]
async fn an_exchange_is_two_spans_below_its_clients() {
    let (collector, model) = (Collector::start().await, ModelServer::named("qwen2"));
    let proxy = TestProxy::to(&model)
        .set("traces.otlp", collector.url())
        .set("traces.headers", json!({"x-token": "of the collector"}))
        .set("traces.service_name", "edge")
        .start()
        .await;
    let request = proxy.request("/v1/generate", &unified("qwen2"));
    let request = request.header("traceparent", traceparent("01"));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap();

    let spans = collector.spans(2).await;
    let named = |name| spans.iter().find(|span| span.name == name).expect(name);
    let (served, asked) = (named("POST /v1/generate"), named("text_completion qwen2"));
    assert_eq!([&*served.trace, &*served.parent], [TRACE, CALLER]);
    assert_eq!([&*asked.trace, &asked.parent], [TRACE, &served.id]);
    // The model server is told of the span that asks it.
    let passed_on = &model.last().headers["traceparent"];
    assert_eq!(*passed_on, format!("00-{TRACE}-{}-01", asked.id));
    assert!(0 < asked.took && asked.took <= served.took);
    assert!(served.head.starts_with("POST /v1/traces HTTP/1.1"));
    assert!(served.head.contains("x-token: of the collector"));
    for (name, expected) in [
        ("service.name", "edge"),
        ("http.response.status_code", "200"),
        ("headworks.end", "ok"),
        ("headworks.pool", "qwen2"),
    ] {
        assert_eq!(served.attributes[name], expected, "{name}");
    }
    let prompt = model.stats().told_prompts.to_string();
    for (name, expected) in [
        ("gen_ai.operation.name", "text_completion"),
        ("gen_ai.provider.name", "tgi"),
        ("gen_ai.request.model", "qwen2"),
        ("gen_ai.usage.input_tokens", &prompt),
        ("gen_ai.usage.output_tokens", "8"),
        ("url.full", &model.url()),
    ] {
        assert_eq!(asked.attributes[name], expected, "{name}");
    }
    let everything = format!("{spans:?}");
    assert!(!everything.contains("river"), "{everything}");
}

#[tokio::test]
async fn who_is_traced_the_client_says_and_else_the_share() {
    let (collector, model) = (Collector::start().await, ModelServer::named("qwen2"));
    let setup = TestProxy::to(&model).set("traces.otlp", collector.url());
    let mut proxy = setup.set("traces.sample_rate", 0.0).start().await;
    let ask = async |proxy: &TestProxy, traceparent: Option<String>| {
        let mut request = proxy.request("/v1/generate", &unified("qwen2"));
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        request.send().await.unwrap().text().await.unwrap();
        let told = model.last().headers.get("traceparent").cloned();
        told.map(|told| told.to_str().unwrap().to_owned())
    };
    assert_eq!(ask(&proxy, None).await, None);
    let unsampled = traceparent("00");
    assert_eq!(ask(&proxy, Some(unsampled.clone())).await, Some(unsampled));
    let nonsense = "00-\"}-forged-01".to_owned();
    assert_eq!(ask(&proxy, Some(nonsense.clone())).await, Some(nonsense));

    let reload = proxy.rewrite_config(|config| config.change("traces.sample_rate", 1.0));
    reload.await.unwrap();
    let own = ask(&proxy, None).await.expect("it is traced");
    let spans = collector.spans(2).await;
    assert_eq!(spans.len(), 2, "{spans:?}");
    assert!(spans.iter().all(|span| own.contains(&span.trace)));
    assert!(spans.iter().any(|span| span.parent.is_empty()));
}

#[tokio::test]
async fn what_goes_wrong_is_told_by_its_kind() {
    let (collector, model) = (Collector::start().await, ModelServer::named("qwen2"));
    let setup = TestProxy::to(&model).set("traces.otlp", collector.url());
    let proxy = setup.start().await;
    model.inject(FaultKind::Status { status: 500 });
    let answer = proxy.post("/v1/generate", unified("qwen2")).await;
    assert!(answer.status().is_server_error());
    let spans = collector.spans(2).await;
    for span in spans {
        assert_eq!(span.attributes["error.type"], "upstream-error", "{span:?}");
    }
}

#[tokio::test]
async fn a_collector_that_is_gone_costs_spans_that_are_counted_and_no_request() {
    let model = ModelServer::named("qwen2");
    let nobody = headworks_tests::Port::free();
    let url = format!("http://{}", nobody.address());
    let proxy = TestProxy::to(&model).set("traces.otlp", url).start().await;
    for _ in 0..3 {
        let answer = proxy.post("/v1/generate", unified("qwen2")).await;
        assert_eq!(answer.status(), 200);
    }
    let lost = "headworks_traces_lost_spans_total";
    proxy.wait_for_metric(lost, 6.0).await;
    proxy.logged("the collector does not take them").await;
}
