use super::*;

/// The problems with settings, one a line.
fn check(settings: Value, expected: &[&str]) {
    let problems = load(settings).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(lines, expected);
}

#[test]
fn every_pool_must_be_there() {
    let missing = "no pool `qwen`; there are: llama3, qwen2";
    check(
        json!({
            "models": {
                "a": {"pool": "qwen"},
                "b-1.5": {"pool": "qwen2", "fallback": "qwen"},
                "c": {"split": {"qwen": 1, "qwen2": 1}},
            },
            "scenarios": {"s": {"pool": "qwen"}},
        }),
        &[
            &format!("models.a.pool: {missing}"),
            &format!("models.\"b-1.5\".fallback: {missing}"),
            &format!("models.c.split.qwen: {missing}"),
            &format!("scenarios.s.pool: {missing}"),
        ],
    );
}

#[test]
fn a_model_is_in_one_way() {
    check(
        json!({"models": {
            "a": {},
            "b": {"pool": "qwen2", "alias": "a"},
            "c": {"alias": "d", "fallback": "qwen2"},
            "d": {"pool": "qwen2"},
        }}),
        &[
            "models.a: needs one of `pool`, `alias` and `split`",
            "models.b: takes one of `pool`, `alias` and `split`, not several",
            "models.c.fallback: belongs to the model that this one is an alias of",
        ],
    );
}

#[test]
fn an_alias_leads_to_a_pool() {
    check(
        json!({"models": {
            "qwen2": {"pool": "qwen2"},
            "one": {"alias": "two"},
            "two": {"alias": "one"},
            "self": {"alias": "self"},
            "typo": {"alias": "qwenn2"},
        }}),
        &[
            "models.one.alias: `two` leads round in a circle, never to a pool",
            "models.self.alias: `self` leads round in a circle, never to a pool",
            "models.two.alias: `one` leads round in a circle, never to a pool",
            "models.typo.alias: no model `qwenn2`; did you mean `qwen2`?",
        ],
    );
}

#[test]
fn shares_and_lists_that_let_nobody_in_are_refused() {
    check(
        json!({"models": {
            "a": {"split": {"qwen2": 0}},
            "b": {"split": {"llama3": u32::MAX, "qwen2": 1}},
            "c": {"pool": "qwen2", "allow": {"header": "", "values": []}},
        }}),
        &[
            "models.a.split: needs a pool with a share greater than 0",
            "models.b.split.qwen2: all shares must add up to 4294967295 at most",
            "models.c.allow.header: must name a header, is empty",
            "models.c.allow.values: is empty, so nobody could use the model; leave the model out instead",
        ],
    );
}

#[test]
fn a_scenario_is_judged_in_all_its_parts() {
    check(
        json!({
            "models": {"qwen2": {"pool": "qwen2"}},
            "scenarios": {
                "a": {
                    "template": "Summarize",
                    "parameters": {"temprature": 0.2, "max_new_tokens": "many"},
                    "models": ["qwenn2"],
                },
                "b": {"models": []},
            },
        }),
        &[
            "scenarios.a.parameters.max_new_tokens: must be a number of tokens, got \"many\"",
            "scenarios.a.parameters.temprature: no parameter `temprature`; did you mean `temperature`?",
            "scenarios.a.template: needs `{inputs}`, where the prompt is put",
            "scenarios.a.models[0]: no model `qwenn2`; did you mean `qwen2`?",
            "scenarios.b.models: is empty, so nobody could use the scenario; leave it out for all models",
        ],
    );
}

#[test]
fn a_key_that_is_not_one_is_named() {
    let problems = load(json!({"models": {"a": {"pol": "qwen2"}}})).unwrap_err();
    let text = problems.to_string();
    assert!(text.starts_with("models.a"), "{text}");
    assert!(text.contains("unknown field `pol`"), "{text}");
}
