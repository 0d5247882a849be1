use headworks_sdk::prelude::*;

use crate::Telemetry;

const MODEL: &str = "requests.model.{model}";
const INPUT: &str = "requests.model.{model}.input_tokens";
const OUTPUT: &str = "requests.model.{model}.output_tokens";

/// A gateway that knows one model.
fn host(settings: Value) -> testing::MockHost<Telemetry> {
    testing::gateway().model("qwen2").load(settings).unwrap()
}

fn served() -> testing::Ended {
    testing::Ended::ok().endpoint("http://qwen2-0")
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn an_answer_counts_under_its_model_and_in_all() {
    let mut host = host(json!({}));
    host.chat("qwen2").send().complete(served().tokens(12, 34));
    host.generate("qwen2")
        .send()
        .complete(served().tokens(3, 4));
    assert_eq!(host.counter("requests.total", &[]), 2);
    assert_eq!(host.counter("requests.status.{status}", &["200"]), 2);
    assert_eq!(host.counter(MODEL, &["qwen2"]), 2);
    assert_eq!(host.counter(INPUT, &["qwen2"]), 15);
    assert_eq!(host.counter(OUTPUT, &["qwen2"]), 38);
    assert_eq!(host.counter("requests.errors.{end}", &["ok"]), 0);
}

#[test]
fn a_strangers_model_is_other() {
    let mut host = host(json!({}));
    host.chat("x\n{\"le\"}")
        .send()
        .complete(served().tokens(1, 1));
    assert_eq!(host.counter(MODEL, &["other"]), 1);
    assert_eq!(host.counter(MODEL, &["qwen2"]), 0);
}

#[test]
fn whatever_is_not_a_whole_answer_is_an_error_of_its_kind() {
    let mut host = host(json!({}));
    for end in [
        End::Timeout,
        End::Timeout,
        End::ClientGone,
        End::UpstreamError,
    ] {
        host.chat("qwen2").send().complete(testing::Ended::by(end));
    }
    let errors = |end| host.counter("requests.errors.{end}", &[end]);
    assert_eq!(errors("timeout"), 2);
    assert_eq!(errors("client-gone"), 1);
    assert_eq!(errors("upstream-error"), 1);
    assert_eq!(host.counter("requests.total", &[]), 4);
    assert_eq!(host.counter("requests.status.{status}", &["none"]), 1);
    assert_eq!(host.counter("requests.status.{status}", &["504"]), 2);
}

#[test]
fn a_refused_request_costs_no_tokens_and_is_no_fast_answer() {
    let mut host = host(json!({}));
    let refused = testing::Ended::by(End::Rejected).tokens(9000, 0);
    host.chat("qwen2").send().complete(refused);
    assert_eq!(host.counter(MODEL, &["qwen2"]), 1);
    assert_eq!(host.counter(INPUT, &["qwen2"]), 0);
    assert!(host.timer("request.latency", &["qwen2"]).is_empty());
}

#[test]
fn a_stream_is_timed_by_its_tokens() {
    let mut host = host(json!({}));
    let ended = served().tokens(5, 11).ttft(ms(40)).latency(ms(140));
    host.chat("qwen2").stream().send().complete(ended.clone());
    host.chat("qwen2").send().complete(ended);
    assert_eq!(
        host.timer("request.latency", &["qwen2"]),
        [ms(140), ms(140)]
    );
    assert_eq!(
        host.timer("request.first_token", &["qwen2"]),
        [ms(40), ms(40)]
    );
    assert_eq!(host.timer("request.time_per_token", &["qwen2"]), [ms(10)]);
}

#[test]
fn an_exchange_without_a_token_has_a_latency_alone() {
    let mut host = host(json!({}));
    let ended = testing::Ended::by(End::UpstreamError).latency(ms(7));
    let ended = ended.endpoint("http://a:80");
    host.chat("qwen2").send().complete(ended);
    assert_eq!(host.timer("request.latency", &["qwen2"]), [ms(7)]);
    assert!(host.timer("request.first_token", &["qwen2"]).is_empty());
}

#[test]
fn models_need_not_be_told_apart() {
    let mut host = host(json!({"per_model": false}));
    let ended = served().tokens(5, 11).latency(ms(140));
    host.chat("qwen2").send().complete(ended);
    assert_eq!(host.counter("requests.total", &[]), 1);
    assert_eq!(host.timer("request.latency", &["all"]), [ms(140)]);
    assert!(host.timer("request.latency", &["qwen2"]).is_empty());
}

#[test]
fn a_setting_that_is_not_one_is_refused_by_name() {
    let problems = testing::host::<Telemetry>(json!({"per_modle": true})).unwrap_err();
    assert!(problems.to_string().contains("per_modle"), "{problems}");
}
