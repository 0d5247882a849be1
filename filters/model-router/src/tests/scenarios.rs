use super::*;

fn summarize() -> Value {
    json!({
        "models": {
            "qwen2": {"pool": "qwen2"},
            "llama3": {"pool": "llama3"},
            "short": {"alias": "qwen2"},
        },
        "scenarios": {"summarize": {
            "template": "Summarize:\n{inputs}\nSummary:",
            "parameters": {"temperature": 0.2, "max_new_tokens": 256},
            "models": ["short"],
        }},
    })
}

#[test]
fn a_scenario_wraps_the_prompt_and_fills_in_parameters() {
    let mut host = host(summarize());
    let call = host.generate("qwen2").scenario("summarize");
    let answer = call.parameter("max_new_tokens", 10).prompt("Long.").send();
    assert_eq!(
        answer.json("/inputs"),
        Some(&json!("Summarize:\nLong.\nSummary:"))
    );
    assert_eq!(answer.parameter("temperature"), Some(&json!(0.2)));
    assert_eq!(answer.max_new_tokens(), Some(10), "the client knows better");
    assert_eq!(answer.pool(), Some("qwen2"));
}

#[test]
fn a_parameter_that_is_null_is_one_that_the_client_says_nothing_of() {
    let mut host = host(summarize());
    let call = host.generate("qwen2").scenario("summarize");
    let answer = call.parameter("temperature", Value::Null).send();
    assert_eq!(answer.parameter("temperature"), Some(&json!(0.2)));
}

#[test]
fn a_scenario_is_for_its_models_by_whatever_name() {
    let mut host = host(summarize());
    let answer = host.generate("short").scenario("summarize").send();
    assert!(answer.prompt_wrapped().is_some());
    for model in ["llama3", ""] {
        let answer = host.generate(model).scenario("summarize").send();
        assert_eq!(refusal(&answer), (400, "scenario_not_for_model"));
        assert_eq!(answer.prompt_wrapped(), None);
    }
}

#[test]
fn a_scenario_that_is_not_listed_is_a_mere_hint_unless_refused() {
    let mut lenient = host(summarize());
    let answer = lenient.generate("qwen2").scenario("chat").send();
    assert_eq!(
        (answer.pool(), answer.prompt_wrapped()),
        (Some("qwen2"), None)
    );

    let mut settings = summarize();
    settings["unknown_scenario"] = json!("refuse");
    let mut strict = host(settings);
    let answer = strict.generate("qwen2").scenario("chat").send();
    assert_eq!(refusal(&answer), (400, "scenario_not_found"));
    let answer = strict.generate("qwen2").send();
    assert_eq!(answer.verdict(), &Verdict::Next, "to name none is fine");
}

#[test]
fn a_scenario_with_a_pool_goes_there_whatever_the_model() {
    let mut host = host(json!({"scenarios": {"chat": {"pool": "llama3"}}}));
    for model in ["qwen2", ""] {
        let answer = host.generate(model).scenario("chat").send();
        assert_eq!(answer.pool(), Some("llama3"));
    }
}

#[test]
fn a_prompt_that_is_not_one_text_has_no_template_put_around_it() {
    let mut host = host(summarize());
    let call = host.generate("qwen2").scenario("summarize");
    let answer = call.json("/inputs", json!(["one", "two"])).send();
    assert_eq!(refusal(&answer), (400, "scenario_not_applicable"));
}
