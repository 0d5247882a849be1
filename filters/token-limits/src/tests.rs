use headworks_sdk::prelude::*;

use crate::TokenLimits;

fn host(settings: Value) -> testing::MockHost<TokenLimits> {
    testing::host(settings).unwrap()
}

/// The cap that the upstream gets.
fn cap(settings: Value, asked: Option<u32>) -> Option<u32> {
    let mut host = host(settings);
    let mut call = host.chat("qwen2").prompt_tokens(700);
    if let Some(asked) = asked {
        call = call.max_new_tokens(asked);
    }
    let answer = call.send();
    assert_eq!(answer.verdict(), &Verdict::Next);
    answer.max_new_tokens()
}

/// Status, code and message of the refusal.
fn refusal(settings: Value, asked: u32) -> (u16, String, String) {
    let mut host = host(settings);
    let call = host.generate("qwen2").prompt_tokens(700);
    let answer = call.max_new_tokens(asked).send();
    let rejection = answer.rejection().expect("it is refused").clone();
    (rejection.status, rejection.code, rejection.message)
}

fn refused(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

#[test]
fn without_limits_nothing_is_touched() {
    assert_eq!(cap(json!({}), None), None);
    assert_eq!(cap(json!({}), Some(1_000_000)), Some(1_000_000));
}

#[test]
fn a_prompt_that_is_too_long_is_refused_with_the_numbers() {
    let message = "the prompt has about 700 tokens, at most 699 are allowed";
    assert_eq!(
        refusal(json!({"max_input_tokens": {"limit": 699}}), 10),
        refused(413, "prompt_too_long", message)
    );
    let settings = json!({"max_input_tokens": {"limit": 700, "over": "refuse"}});
    assert_eq!(cap(settings, Some(10)), Some(10));
}

#[test]
fn too_many_new_tokens_are_refused_or_cut_down() {
    let message = "1025 new tokens are asked for, at most 1024 are allowed";
    assert_eq!(
        refusal(
            json!({"max_new_tokens": {"limit": 1024, "over": "refuse"}}),
            1025
        ),
        refused(422, "max_new_tokens_too_high", message)
    );
    let clamp = || json!({"max_new_tokens": {"limit": 1024, "over": "clamp"}});
    assert_eq!(cap(clamp(), Some(1025)), Some(1024));
    assert_eq!(cap(clamp(), Some(12)), Some(12));
}

#[test]
fn what_is_cut_down_is_in_the_access_log() {
    let mut host = host(json!({"max_new_tokens": {"limit": 100, "over": "clamp"}}));
    let answer = host.chat("qwen2").max_new_tokens(4096).send();
    assert_eq!(answer.tags()["max_new_tokens"], "4096 cut down to 100");
    assert!(
        host.chat("qwen2")
            .max_new_tokens(64)
            .send()
            .tags()
            .is_empty()
    );
    assert!(host.chat("qwen2").send().tags().is_empty());
}

#[test]
fn a_client_that_says_nothing_gets_the_default_or_else_the_limit() {
    let with_default = json!({"max_new_tokens": {"limit": 1024, "default": 256}});
    assert_eq!(cap(with_default, None), Some(256));
    assert_eq!(
        cap(json!({"max_new_tokens": {"limit": 1024}}), None),
        Some(1024)
    );
}

#[test]
fn prompt_and_new_tokens_share_a_limit() {
    let total = |over| json!({"max_total_tokens": {"limit": 1000, "over": over}});
    let message =
        "a prompt of about 700 and 301 new tokens are asked for, at most 1000 together are allowed";
    assert_eq!(
        refusal(total("refuse"), 301),
        refused(422, "max_total_tokens_too_high", message)
    );
    assert_eq!(cap(total("refuse"), Some(300)), Some(300));
    assert_eq!(cap(total("clamp"), Some(301)), Some(300));
    assert_eq!(cap(total("refuse"), None), Some(300), "what is left");
}

#[test]
fn a_prompt_that_leaves_no_room_for_an_answer_is_too_long() {
    let settings = json!({"max_total_tokens": {"limit": 700, "over": "clamp"}});
    let message = "the prompt has about 700 tokens, at most 699 are allowed";
    assert_eq!(
        refusal(settings, 1),
        refused(413, "prompt_too_long", message)
    );
}

#[test]
fn a_default_that_leaves_no_room_gives_way_since_nobody_asked_for_it() {
    let settings = json!({
        "max_new_tokens": {"limit": 600, "default": 400},
        "max_total_tokens": {"limit": 1000, "over": "refuse"},
    });
    assert_eq!(cap(settings, None), Some(300));
}

#[test]
fn a_model_may_have_limits_of_its_own() {
    let mut host = host(json!({
        "max_input_tokens": {"limit": 8000},
        "max_new_tokens": {"limit": 100, "over": "clamp"},
        "models": {"big": {"max_new_tokens": {"limit": 4096, "over": "clamp"}}},
    }));
    let answer = host.chat("big").max_new_tokens(9000).send();
    assert_eq!(answer.max_new_tokens(), Some(4096));
    let answer = host.chat("small").max_new_tokens(9000).send();
    assert_eq!(answer.max_new_tokens(), Some(100));
    let answer = host.chat("big").prompt_tokens(8001).send();
    assert_eq!(answer.rejection().unwrap().code, "prompt_too_long");
}

#[test]
fn settings_that_cannot_be_meant_are_refused_by_name() {
    let check = |settings: Value, expected: &str| {
        let problems = testing::host::<TokenLimits>(settings).unwrap_err();
        assert_eq!(problems.to_string(), expected);
    };
    check(
        json!({"max_new_tokens": {"limit": 0}, "models": {"llama-3.1": {"max_total_tokens": {"limit": 0}}}}),
        "max_new_tokens.limit: must be greater than 0, got 0; \
         models.\"llama-3.1\".max_total_tokens.limit: must be greater than 0, got 0",
    );
    check(
        json!({"max_new_tokens": {"limit": 100, "default": 101}}),
        "max_new_tokens.default: must be between 1 and the limit of 100, got 101",
    );
    check(
        json!({"max_input_tokens": {"limit": 100, "over": "clamp"}}),
        "max_input_tokens.over: unknown variant `clamp`, expected `refuse`",
    );
    check(
        json!({"max_new_tokens": {"limit": 100, "over": "cut"}}),
        "max_new_tokens.over: unknown variant `cut`, expected `refuse` or `clamp`",
    );
}

#[test]
fn a_request_is_charged_to_the_budgets_that_are_about_it() {
    let mut host = host(json!({"budgets": [
        {"name": "all", "tokens": 100, "per": "minute"},
        {"name": "gold", "requests": 10, "per": "day", "only": {"classes": ["gold"]}},
        {"name": "pair", "concurrent": 3, "only": {"tenants": ["acme"], "models": ["qwen2", "llama3"]}},
    ]}));
    let call = host.chat("qwen2").tenant("acme").class("gold");
    assert_eq!(call.send().charged(), ["all", "gold", "pair"]);
    assert_eq!(host.chat("other").tenant("acme").send().charged(), ["all"]);
    assert_eq!(host.chat("qwen2").send().charged(), ["all"]);
}

#[test]
fn what_is_refused_is_charged_to_nobody() {
    let mut host = host(json!({
        "max_new_tokens": {"limit": 10},
        "budgets": [{"name": "all", "tokens": 100, "per": "minute"}],
    }));
    let answer = host.chat("qwen2").max_new_tokens(11).send();
    assert!(answer.rejection().is_some() && answer.charged().is_empty());
}

#[test]
fn budgets_are_declared_as_they_are_written() {
    let host = host(json!({"budgets": [
        {"name": "a", "tokens": 60_000, "per": "minute", "burst": 5000, "by": ["tenant", "model"], "shadow": true},
        {"name": "b", "concurrent": 3, "by": ["key"]},
    ]}));
    let a = Allowance::tokens("a", 60_000, Period::Minute).burst(5000);
    let a = a.by(&[Scope::Tenant, Scope::Model]).shadow(true);
    let b = Allowance::exchanges("b", 3).by(&[Scope::Key]);
    assert_eq!(host.budgets(), [a, b]);
}

#[test]
fn what_cannot_be_meant_by_a_budget_is_told() {
    let check = |budget: Value, path: &str, told: &str| {
        let first = json!({"name": "a", "tokens": 1, "per": "day"});
        let settings = json!({"budgets": [first, budget]});
        let problems = testing::host::<TokenLimits>(settings)
            .map(drop)
            .unwrap_err();
        let problems = problems.to_string();
        assert!(problems.starts_with(path), "{problems}");
        assert!(problems.contains(told), "{problems}");
    };
    check(json!({"name": "b"}), "budgets.1", "takes one of");
    check(
        json!({"name": "b", "tokens": 1}),
        "budgets.1.per",
        "is missing",
    );
    check(
        json!({"name": "b", "tokens": 0, "per": "day"}),
        "budgets.1",
        "greater than 0",
    );
    check(
        json!({"name": "b c", "tokens": 1, "per": "day"}),
        "budgets.1.name",
        "letters",
    );
    check(
        json!({"name": "a", "tokens": 1, "per": "day"}),
        "budgets.1.name",
        "another budget",
    );
    check(
        json!({"name": "b", "tokens": 5, "per": "minute", "burst": 6}),
        "budgets.1.burst",
        "between 1 and the amount of 5",
    );
    check(
        json!({"name": "b", "concurrent": 5, "per": "minute"}),
        "budgets.1.concurrent",
        "no `per`",
    );
}
