use super::*;

#[test]
fn without_settings_a_pools_name_is_a_model() {
    let mut host = host(json!({}));
    assert_eq!(host.models(), ["llama3", "qwen2"]);
    assert_eq!(host.chat("qwen2").send().pool(), Some("qwen2"));
    assert_eq!(
        refusal(&host.chat("gpt-4").send()),
        (404, "model_not_found")
    );
}

#[test]
fn a_model_goes_to_its_pool_under_its_own_name() {
    let mut host = host(json!({"models": {"assistant": {"pool": "qwen2"}}}));
    let answer = host.generate("assistant").send();
    assert_eq!(
        (answer.pool(), answer.model()),
        (Some("qwen2"), "assistant")
    );
    assert_eq!(host.models(), ["assistant"]);
    assert_eq!(
        refusal(&host.chat("qwen2").send()),
        (404, "model_not_found")
    );
}

#[test]
fn an_alias_is_the_model_that_it_stands_for() {
    let mut host = host(json!({"models": {
        "qwen2": {"pool": "qwen2"},
        "gpt-4": {"alias": "gpt-4-0613"},
        "gpt-4-0613": {"alias": "qwen2"},
    }}));
    let answer = host.chat("gpt-4").send();
    assert_eq!((answer.pool(), answer.model()), (Some("qwen2"), "qwen2"));
    assert_eq!(host.models(), ["gpt-4", "gpt-4-0613", "qwen2"]);
}

#[test]
fn a_request_without_a_model_is_left_to_the_default_pool() {
    let mut host = host(json!({"models": {"qwen2": {"pool": "qwen2"}}}));
    let answer = host.tgi().send();
    assert_eq!((answer.verdict(), answer.pool()), (&Verdict::Next, None));
}

#[test]
fn a_model_that_is_not_there_is_refused_with_a_way_to_find_others() {
    let mut host = host(json!({"models": {"qwen2": {"pool": "qwen2"}}}));
    let answer = host.chat("gpt-900").send();
    let expected = "there is no model `gpt-900`; GET /v1/models lists those that there are";
    assert_eq!(answer.rejection().unwrap().message, expected);
    let answer = host.chat(&"x".repeat(100_000)).send();
    assert!(answer.rejection().unwrap().message.len() < 200);
}

#[test]
fn a_model_that_is_not_there_may_be_left_to_others() {
    let settings = json!({"unknown": "pass", "models": {"qwen2": {"pool": "qwen2"}}});
    let mut host = host(settings);
    let answer = host.chat("gpt-900").routed("llama3").send();
    assert_eq!(answer.verdict(), &Verdict::Next);
    assert_eq!((answer.pool(), answer.model()), (Some("llama3"), "gpt-900"));
}

#[test]
fn a_split_gives_each_pool_its_share() {
    let mut host = host(json!({"models": {"canary": {"split": {"qwen2": 90, "llama3": 10}}}}));
    let canaries = (0..2000)
        .filter(|_| host.chat("canary").send().pool() == Some("llama3"))
        .count();
    // Five standard deviations around 200, and chance is the same in every run.
    assert!((133..267).contains(&canaries), "{canaries} of 2000");
}

#[test]
fn a_share_of_nothing_gets_nothing() {
    let mut host = host(json!({"models": {"canary": {"split": {"qwen2": 1, "llama3": 0}}}}));
    for _ in 0..200 {
        assert_eq!(host.chat("canary").send().pool(), Some("qwen2"));
    }
}

#[test]
fn an_allow_list_is_for_those_on_it() {
    let allow = json!({"header": "x-tenant", "values": ["a", "b"]});
    let mut host = host(json!({"models": {
        "secret": {"pool": "qwen2", "allow": allow},
        "also-secret": {"alias": "secret"},
    }}));
    let answer = host.chat("secret").header("X-Tenant", "b").send();
    assert_eq!(answer.pool(), Some("qwen2"));
    let answer = host.chat("secret").header("x-tenant", "c").send();
    assert_eq!(refusal(&answer), (403, "model_not_allowed"));
    assert_eq!(answer.pool(), None);
    assert_eq!(
        refusal(&host.chat("secret").send()),
        (403, "model_not_allowed")
    );
    let answer = host.chat("also-secret").send();
    assert_eq!(
        refusal(&answer),
        (403, "model_not_allowed"),
        "an alias is no way in"
    );
}

/// The pool of a model with a fallback, by the health of its two pools.
fn with_fallback(first: &[Health], second: &[Health]) -> (String, usize) {
    let endpoints = |healths: &[Health]| -> Vec<Candidate> {
        let candidate = |health: &Health| Candidate {
            health: *health,
            ..Candidate::default()
        };
        healths.iter().map(candidate).collect()
    };
    let gateway = testing::gateway()
        .pool("first", &endpoints(first))
        .pool("second", &endpoints(second));
    let settings = json!({"models": {"m": {"pool": "first", "fallback": "second"}}});
    let mut host = gateway.load::<ModelRouter>(settings).unwrap();
    let answer = host.chat("m").send();
    (answer.pool().unwrap().to_owned(), answer.tags().len())
}

#[test]
fn a_fallback_is_used_while_nothing_answers_in_the_pool() {
    use Health::{Degraded, Down, Up};
    let check = |first: &[Health], second: &[Health], pool: &str, tags: usize| {
        let expected = (pool.to_owned(), tags);
        assert_eq!(
            with_fallback(first, second),
            expected,
            "{first:?} {second:?}"
        );
    };
    check(&[Up, Down], &[Up], "first", 0);
    check(&[Degraded], &[Up], "first", 0);
    check(&[Down, Down], &[Down, Up], "second", 1);
    check(&[Down], &[Down], "first", 0);
}

#[test]
fn a_fallback_stands_in_when_the_pool_fails_later() {
    let gateway = testing::gateway()
        .pool("first", &[Candidate::default()])
        .pool("second", &[Candidate::default()]);
    let settings = json!({"models": {
        "m": {"pool": "first", "fallback": "second"},
        "n": {"pool": "first"},
    }});
    let mut host = gateway.load::<ModelRouter>(settings).unwrap();
    let answer = host.chat("m").send();
    assert_eq!(
        (answer.pool(), answer.fallback()),
        (Some("first"), Some("second"))
    );
    assert_eq!(host.chat("n").send().fallback(), None);
}
