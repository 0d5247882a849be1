use std::collections::BTreeMap;

use headworks_sdk::prelude::*;

use crate::LoadShaper;

fn endpoint(id: u32, outstanding_tokens: u32) -> Candidate {
    Candidate {
        id,
        outstanding_tokens,
        ..Candidate::default()
    }
}

/// Where a request of 100 tokens goes.
fn place(settings: Value, endpoints: &[Candidate]) -> Placement {
    let mut host = testing::host::<LoadShaper>(settings).unwrap();
    let call = host.chat("qwen2").prompt_tokens(60).max_new_tokens(40);
    call.send().place(endpoints, Duration::ZERO)
}

/// How often each of two endpoints is chosen in 400 times.
fn shares(endpoints: &[Candidate]) -> BTreeMap<u32, u32> {
    let mut host = testing::host::<LoadShaper>(json!({})).unwrap();
    let mut shares = BTreeMap::new();
    for _ in 0..400 {
        let placement = host.chat("qwen2").send().place(endpoints, Duration::ZERO);
        let Placement::At(id) = placement else {
            panic!("{placement:?}")
        };
        *shares.entry(id).or_default() += 1;
    }
    shares
}

#[test]
fn the_endpoint_with_the_least_work_gets_the_request() {
    let endpoints = [endpoint(1, 900), endpoint(2, 300), endpoint(3, 301)];
    assert_eq!(place(json!({}), &endpoints), Placement::At(2));
}

#[test]
fn an_endpoint_of_twice_the_weight_takes_twice_the_work() {
    let strong = |outstanding| Candidate {
        weight: 2,
        ..endpoint(2, outstanding)
    };
    // With the request 300 tokens against 500, each for half the time.
    assert_eq!(
        place(json!({}), &[endpoint(1, 200), strong(400)]),
        Placement::At(2)
    );
    assert_eq!(
        place(json!({}), &[endpoint(1, 200), strong(600)]),
        Placement::At(1)
    );
    assert_eq!(
        place(json!({}), &[endpoint(1, 0), strong(0)]),
        Placement::At(2)
    );
}

#[test]
fn an_endpoint_that_failed_gets_one_request_to_show_that_it_does_well_again() {
    let suspect = |marks| Candidate {
        health: Health::Degraded,
        marks,
        ..endpoint(2, 0)
    };
    let busy = endpoint(1, 900);
    assert_eq!(
        place(json!({}), &[busy.clone(), suspect(1)]),
        Placement::At(2)
    );
    assert_eq!(place(json!({}), &[busy, suspect(0)]), Placement::At(1));
}

#[test]
fn a_slower_endpoint_gets_the_request_when_the_fast_one_has_more_to_do() {
    let predicted = |id, outstanding, predicted_e2e_us| Candidate {
        predicted_e2e_us,
        ..endpoint(id, outstanding)
    };
    let slow = predicted(2, 0, 2000);
    assert_eq!(
        place(json!({}), &[predicted(1, 90, 1000), slow.clone()]),
        Placement::At(1)
    );
    assert_eq!(
        place(json!({}), &[predicted(1, 110, 1000), slow]),
        Placement::At(2)
    );
}

#[test]
fn a_bad_estimate_does_not_keep_an_endpoint_empty_for_ever() {
    let terrible = Candidate {
        predicted_e2e_us: u32::MAX,
        ..endpoint(2, 0)
    };
    let busy = Candidate {
        predicted_e2e_us: 1000,
        ..endpoint(1, 301)
    };
    assert_eq!(place(json!({}), &[busy, terrible]), Placement::At(2));
}

#[test]
fn predictions_count_only_when_every_endpoint_has_one() {
    let known = Candidate {
        predicted_e2e_us: 9000,
        ..endpoint(1, 10)
    };
    assert_eq!(
        place(json!({}), &[known, endpoint(2, 20)]),
        Placement::At(1)
    );
}

#[test]
fn fewer_exchanges_decide_between_equal_work_and_then_chance() {
    let busy = Candidate {
        in_flight: 3,
        ..endpoint(1, 500)
    };
    assert_eq!(
        place(json!({}), &[busy, endpoint(2, 500)]),
        Placement::At(2)
    );
    let shares = shares(&[endpoint(1, 900), endpoint(2, 7), endpoint(3, 7)]);
    assert_eq!(shares.len(), 2, "{shares:?}");
    assert!(shares.values().all(|times| *times > 100), "{shares:?}");
}

#[test]
fn a_suspect_endpoint_gets_requests_only_when_nothing_is_up() {
    let degraded = Candidate {
        health: Health::Degraded,
        ..endpoint(1, 0)
    };
    let down = Candidate {
        health: Health::Down,
        ..endpoint(2, 0)
    };
    let endpoints = [degraded.clone(), down.clone(), endpoint(3, 5000)];
    assert_eq!(place(json!({}), &endpoints), Placement::At(3));
    assert_eq!(place(json!({}), &[degraded, down]), Placement::At(1));
}

#[test]
fn a_request_waits_while_every_endpoint_is_full() {
    let running = |id, in_flight| Candidate {
        in_flight,
        ..endpoint(id, 100 * id)
    };
    let settings = || json!({"max_in_flight": 4});
    assert_eq!(
        place(settings(), &[running(1, 4), running(2, 3)]),
        Placement::At(2)
    );
    assert_eq!(
        place(settings(), &[running(1, 4), running(2, 5)]),
        Placement::Wait
    );
    let suspect = Candidate {
        health: Health::Degraded,
        ..running(3, 0)
    };
    assert_eq!(
        place(settings(), &[running(1, 4), suspect]),
        Placement::Wait
    );
}

#[test]
fn when_nothing_answers_the_client_is_told_to_come_back() {
    let down = Candidate {
        health: Health::Down,
        ..endpoint(1, 0)
    };
    for endpoints in [&[down][..], &[]] {
        let Placement::Reject(rejection) = place(json!({}), endpoints) else {
            panic!("it was placed")
        };
        assert_eq!((rejection.status, &*rejection.code), (503, "no_endpoint"));
        assert_eq!(rejection.retry_after, Some(Duration::from_secs(1)));
    }
}

#[test]
fn a_limit_of_nothing_is_refused() {
    let problems = testing::host::<LoadShaper>(json!({"max_in_flight": 0})).unwrap_err();
    let expected = "max_in_flight: must be greater than 0, got 0; leave it out for no limit";
    assert_eq!(problems.to_string(), expected);
}
