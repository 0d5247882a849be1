//! Requests whose answers are to be complete in some time.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_would_be_late_is_refused_at_once_and_told_when_to_come_back() {
    let mut host = host(json!({"p99": "1.5s"}));
    use_up_the_favour(&mut host);
    let mut answer = ask(&mut host);
    let rejection = refusal(&mut answer, &[takes(1, 1700), takes(2, 5500)]);
    assert_eq!((rejection.status, &*rejection.code), (503, "overloaded"));
    assert_eq!(
        answer.explanation(),
        Some("no endpoint would answer in time")
    );
    let after = millis(rejection.retry_after.unwrap());
    assert!((1000..=1500).contains(&after), "{after}");
    // It is the longer the later the answer would be.
    let rejection = refusal(&mut ask(&mut host), &[takes(2, 5500)]);
    let after = millis(rejection.retry_after.unwrap());
    assert!((4000..=6000).contains(&after), "{after}");
    assert_eq!(decisions(&host, "overloaded"), 2);
}

#[test]
fn the_gateway_is_told_the_objective_of_what_is_placed() {
    let mut host = host(json!({"p99": "1.5s"}));
    let mut answer = ask(&mut host);
    assert_eq!(place(&mut answer, &[takes(1, 1400)]), Placement::At(1));
    assert_eq!(answer.objective().map(millis), Some(1500));
    // As it does for those that would be pushed past theirs.
    let makes_late = Candidate {
        marks: 4,
        ..takes(1, 1000)
    };
    let endpoints = [makes_late, takes(2, 1400)];
    assert_eq!(place(&mut ask(&mut host), &endpoints), Placement::At(2));
}

#[test]
fn the_time_since_arrival_counts() {
    let mut host = host(json!({"p99": "1.5s"}));
    use_up_the_favour(&mut host);
    let mut aged = |millis| {
        let call = host.chat("llama3").routed(POOL);
        let mut answer = call.age(Duration::from_millis(millis)).send();
        place(&mut answer, &[takes(1, 1300)])
    };
    assert_eq!(aged(190), Placement::At(1));
    assert!(matches!(aged(210), Placement::Reject(_)));
}

#[test]
fn the_most_specific_objective_holds() {
    let settings = json!({
        "p99": "1.5s",
        "models": {
            "llama3": {"p99": "3s", "classes": {"batch": {"p99": "60s"}, "gold": {"priority": "high"}}},
            "phi3": {},
        },
        "classes": {"batch": {"p99": "30s", "priority": "low"}, "gold": {"p99": "1s"}},
    });
    let mut host = host(settings);
    let mut objective = |model, class: Option<&str>| {
        let mut call = host.chat(model).routed(POOL);
        if let Some(class) = class {
            call = call.class(class);
        }
        let mut answer = call.send();
        let placement = place(&mut answer, &[takes(1, 900)]);
        assert_eq!(placement, Placement::At(1));
        answer.objective().unwrap().as_secs_f64()
    };
    let told = |objectives: &[f64]| objectives.to_vec();
    let asked = [
        objective("qwen2", None),
        objective("qwen2", Some("batch")),
        objective("qwen2", Some("unheard-of")),
        objective("llama3", None),
        objective("llama3", Some("batch")),
        objective("llama3", Some("gold")),
        objective("phi3", None),
        objective("phi3", Some("batch")),
    ];
    assert_eq!(
        asked.to_vec(),
        told(&[1.5, 30.0, 1.5, 3.0, 60.0, 1.0, 1.5, 30.0])
    );
}

#[test]
fn a_model_that_the_configuration_does_not_know_is_no_rule_for_strangers() {
    let settings = json!({"models": {"other": {"p99": "2s"}}});
    let mut host = testing::gateway()
        .model("llama3")
        .load::<LoadShaper>(settings)
        .unwrap();
    let mut objective = |model| {
        let mut answer = host.chat(model).routed(POOL).send();
        let _ = place(&mut answer, &[takes(1, 900)]);
        answer.objective().map(millis)
    };
    assert_eq!(objective("llama3"), None);
    assert_eq!(objective("made-up"), Some(2000));
}

#[test]
fn auto_is_two_hundred_steps_of_the_fastest_endpoint_that_is_up() {
    let mut host = host(json!({"p99": "auto"}));
    let slow = Candidate {
        step_us: 16_500,
        ..takes(1, 1400)
    };
    let down = Candidate {
        health: Health::Down,
        step_us: 1000,
        ..takes(3, 100)
    };
    let objective = |answer: &Answer| answer.objective().map(millis);
    let mut answer = ask(&mut host);
    let placement = place(&mut answer, &[slow.clone(), takes(2, 1400), down.clone()]);
    assert!(matches!(placement, Placement::At(_)), "{placement:?}");
    assert_eq!(objective(&answer), Some(1500));
    let mut answer = ask(&mut host);
    assert_eq!(place(&mut answer, &[slow, down]), Placement::At(1));
    assert_eq!(objective(&answer), Some(3300));
    // Before anything was observed there is none.
    let mut answer = ask(&mut host);
    let placement = place(&mut answer, &[Candidate::default()]);
    assert_eq!(placement, Placement::At(0));
    assert_eq!(objective(&answer), None);
}

#[test]
fn a_request_waits_where_its_objective_is_twice_what_it_takes_at_best() {
    let mut host = host(json!({"p99": "3s"}));
    let call = host.chat("llama3").routed(POOL).prompt_tokens(20);
    let call = call.expected_new_tokens(100);
    let mut answer = call.age(Duration::from_millis(150)).send();
    assert_eq!(place(&mut answer, &[takes(1, 9000)]), Placement::Wait);
    let hold = answer.hold().unwrap();
    assert_eq!(hold.behind, Duration::from_secs(10 * 60 + 2));
    // A fifth of the two seconds that are left, less its age.
    assert_eq!(hold.at_most, Duration::from_millis(250));
    assert_eq!(
        answer.explanation(),
        Some("an endpoint may soon have less to do")
    );
    assert_eq!(answer.objective(), None, "it runs nowhere yet");
    host.advance(Duration::from_millis(200));
    assert_eq!(place(&mut answer, &[takes(1, 2500)]), Placement::At(1));
}

#[test]
fn a_full_endpoint_has_no_room_for_one_in_a_hurry() {
    let mut host = host(json!({"p99": "1.5s", "max_in_flight": 3}));
    let rejection = refusal(&mut ask(&mut host), &[takes(1, 1000)]);
    assert_eq!(rejection.code, "overloaded");
}

#[test]
fn a_long_prompt_is_refused_first_unless_sizes_are_not_to_matter() {
    let long = |host: &mut Host| {
        let mut place = |tokens, prefill_us| {
            let at = Candidate {
                prefill_us,
                ..takes(1, 1400 + prefill_us / 1000)
            };
            let call = host.chat("llama3").routed(POOL).prompt_tokens(tokens);
            place(&mut call.send(), &[at])
        };
        for _ in 0..50 {
            assert_eq!(place(100, 10_000), Placement::At(1));
        }
        place(4000, 400_000)
    };
    let mut plain = host(json!({"p99": "1.5s"}));
    use_up_the_favour(&mut plain);
    assert!(matches!(long(&mut plain), Placement::Reject(_)));
    let mut neutral = host(json!({"p99": "1.5s", "size_neutral": true}));
    use_up_the_favour(&mut neutral);
    assert_eq!(long(&mut neutral), Placement::At(1));
}

/// One request, promised in time, whose answer takes so long.
fn answered(host: &mut Host, millis: u64) {
    let mut answer = ask(host);
    assert_eq!(place(&mut answer, &[takes(1, 1000)]), Placement::At(1));
    answer.complete(testing::Ended::ok().latency(Duration::from_millis(millis)));
}

fn margin(host: &Host) -> Option<i64> {
    host.gauge("shaper.margin.{pool}", &[POOL])
}

#[test]
fn late_answers_narrow_the_margin_and_another_instance_knows() {
    let mut host = host(json!({"p99": "1.5s"}));
    use_up_the_favour(&mut host);
    for _ in 0..8 {
        assert_eq!(
            place(&mut ask(&mut host), &[takes(1, 1490)]),
            Placement::At(1)
        );
        answered(&mut host, 1600);
        host.reload(json!({"p99": "1.5s"})).unwrap();
    }
    assert_eq!(margin(&host), Some(988));
    let placement = place(&mut ask(&mut host), &[takes(1, 1490)]);
    assert!(matches!(placement, Placement::Reject(_)), "{placement:?}");
    // What is learned of a pool is nobody else's.
    let mut other = host.chat("llama3").routed("cpu").send();
    assert_eq!(place(&mut other, &[takes(1, 1490)]), Placement::At(1));
}

#[test]
fn answers_in_time_widen_the_margin_a_little() {
    let mut host = host(json!({"p99": "1.5s"}));
    (0..200).for_each(|_| answered(&mut host, 1500));
    assert_eq!(margin(&host), Some(1003));
}

#[test]
fn what_could_not_be_helped_does_not_count_as_late() {
    let mut host = host(json!({"p99": "1.5s"}));
    let marked = |marks, ms| Candidate {
        marks,
        ..takes(1, ms)
    };
    let hopeless = Candidate {
        unloaded_us: 1_700_000,
        ..takes(1, 1800)
    };
    let unknown = Candidate::default();
    let late = || testing::Ended::ok().latency(10 * SECOND);
    for at in [
        marked(1, 1000),
        marked(8, 9000),
        takes(1, 1600),
        hopeless,
        unknown,
    ] {
        let mut answer = ask(&mut host);
        let placement = place(&mut answer, &[at]);
        assert!(matches!(placement, Placement::At(_)), "{placement:?}");
        answer.complete(late());
    }
    for ended in [
        testing::Ended::by(End::UpstreamError).latency(10 * SECOND),
        testing::Ended::by(End::ClientGone).latency(SECOND),
    ] {
        let mut answer = ask(&mut host);
        let _ = place(&mut answer, &[takes(1, 1000)]);
        answer.complete(ended);
    }
    assert_eq!(margin(&host), None);
    // But who leaves after that time would have been late.
    let mut answer = ask(&mut host);
    let _ = place(&mut answer, &[takes(1, 1000)]);
    answer.complete(testing::Ended::by(End::ClientGone).latency(2 * SECOND));
    assert_eq!(margin(&host), Some(1000));
}

#[test]
fn a_promise_that_an_endpoint_broke_by_failing_does_not_hold_for_the_next() {
    let mut host = host(json!({"p99": "1.5s"}));
    let call = host.chat("llama3").routed(POOL).attempt(1);
    let mut answer = call.send();
    assert_eq!(place(&mut answer, &[takes(1, 1000)]), Placement::At(1));
    let probe = Candidate {
        marks: 1,
        health: Health::Degraded,
        ..takes(2, 1000)
    };
    assert_eq!(place(&mut answer, &[probe]), Placement::At(2));
    answer.complete(testing::Ended::ok().latency(10 * SECOND));
    assert_eq!(margin(&host), None);
}

#[test]
fn without_objectives_nothing_is_kept_between_requests() {
    let mut host = host(json!({}));
    answered(&mut host, 99_000);
    assert_eq!(margin(&host), None);
}

#[test]
fn all_that_is_wrong_with_the_times_is_told_at_once() {
    let settings = json!({
        "p99": "0s",
        "models": {"llama3.1": {"p99": "soon", "classes": {"batch": {"p99": "2h"}}}},
        "classes": {"gold": {"p99": "auto"}, "batch": {"p99": "10"}},
    });
    let unit = "must be a time with its unit, such as `1.5s`, or `auto`";
    let expected = [
        "p99: must be between 1ms and 1h, got `0s`".to_owned(),
        format!("classes.batch.p99: {unit}, got `10`"),
        format!("models.\"llama3.1\".p99: {unit}, got `soon`"),
        "models.\"llama3.1\".classes.batch.p99: must be between 1ms and 1h, got `2h`".to_owned(),
    ];
    assert_eq!(problems(settings), expected.join("; "));
}

#[test]
fn what_is_not_a_setting_is_named_with_its_place() {
    let unknown = problems(json!({"classes": {"batch": {"p95": "1s"}}}));
    assert_eq!(
        unknown,
        "classes.batch.p95: unknown field `p95`, expected `p99` or `priority`"
    );
    let number = problems(json!({"p99": 1.5}));
    assert!(
        number.starts_with("p99: invalid type: floating point"),
        "{number}"
    );
    let priority = problems(json!({"priority": "urgent"}));
    assert_eq!(
        priority,
        "priority: unknown variant `urgent`, expected one of `low`, `normal`, `high`"
    );
}
