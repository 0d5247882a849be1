//! Where requests without an objective go.

use super::*;

/// Where a request goes.
fn whither(settings: Value, endpoints: &[Candidate]) -> Placement {
    place(&mut ask(&mut host(settings)), endpoints)
}

#[test]
fn the_endpoint_that_answers_soonest_gets_the_request_however_late() {
    let mut host = host(json!({}));
    let mut answer = ask(&mut host);
    let endpoints = [takes(1, 90_000), takes(2, 80_000), takes(3, 81_000)];
    assert_eq!(place(&mut answer, &endpoints), Placement::At(2));
    assert_eq!(answer.explanation(), Some("it is answered soonest there"));
    assert_eq!(answer.objective(), None);
    assert_eq!(decisions(&host, "at"), 1);
}

#[test]
fn an_endpoint_of_twice_the_weight_gets_it_where_it_would_take_less_than_twice_as_long() {
    let strong = |ms| Candidate {
        weight: 20,
        ..takes(2, ms)
    };
    let weak = takes(1, 1000);
    assert_eq!(
        whither(json!({}), &[weak.clone(), strong(1900)]),
        Placement::At(2)
    );
    assert_eq!(whither(json!({}), &[weak, strong(2100)]), Placement::At(1));
}

#[test]
fn while_nothing_is_predicted_fewer_exchanges_for_its_weight_decide() {
    let unknown = |id, in_flight, weight| Candidate {
        id,
        in_flight,
        weight,
        ..Candidate::default()
    };
    let endpoints = [unknown(1, 3, 10), unknown(2, 2, 10)];
    assert_eq!(whither(json!({}), &endpoints), Placement::At(2));
    let endpoints = [unknown(1, 3, 20), unknown(2, 2, 10)];
    assert_eq!(whither(json!({}), &endpoints), Placement::At(1));
    let endpoints = [unknown(1, 0, 10), unknown(2, 0, 40)];
    assert_eq!(whither(json!({}), &endpoints), Placement::At(2));
}

#[test]
fn an_endpoint_that_failed_gets_one_request_to_show_that_it_does_well_again() {
    let suspect = |marks| Candidate {
        health: Health::Degraded,
        marks,
        ..takes(2, 1000)
    };
    let mut host = host(json!({"max_in_flight": 3}));
    let busy = Candidate {
        in_flight: 1,
        ..takes(1, 9000)
    };
    let endpoints = [busy.clone(), suspect(1)];
    assert_eq!(place(&mut ask(&mut host), &endpoints), Placement::At(2));
    assert_eq!(decisions(&host, "probe"), 1);
    let endpoints = [busy, suspect(0)];
    assert_eq!(place(&mut ask(&mut host), &endpoints), Placement::At(1));
}

#[test]
fn a_suspect_endpoint_gets_requests_only_when_nothing_is_up() {
    let degraded = Candidate {
        health: Health::Degraded,
        ..takes(1, 1000)
    };
    let down = Candidate {
        health: Health::Down,
        ..takes(2, 1000)
    };
    let endpoints = [degraded.clone(), down.clone(), takes(3, 5000)];
    assert_eq!(whither(json!({}), &endpoints), Placement::At(3));
    assert_eq!(whither(json!({}), &[degraded, down]), Placement::At(1));
}

#[test]
fn a_request_waits_while_every_endpoint_is_full() {
    let running = |id, in_flight| Candidate {
        in_flight,
        ..takes(id, 1000)
    };
    let settings = || json!({"max_in_flight": 4});
    let endpoints = [running(1, 4), running(2, 3)];
    assert_eq!(whither(settings(), &endpoints), Placement::At(2));
    let suspect = Candidate {
        health: Health::Degraded,
        ..running(3, 0)
    };
    let full = [running(1, 4), running(2, 5), suspect];
    assert_eq!(whither(settings(), &full), Placement::Wait);

    // Whatever its length, it stands where all others of its priority do.
    let mut host = host(settings());
    let behind = |host: &mut Host, tokens| {
        let call = host.chat("llama3").routed(POOL).prompt_tokens(tokens);
        let mut answer = call.send();
        assert_eq!(place(&mut answer, &full), Placement::Wait);
        answer.hold().unwrap().behind
    };
    assert_eq!(behind(&mut host, 10), behind(&mut host, 10_000));
    assert_eq!(decisions(&host, "hold"), 2);
}

#[test]
fn when_nothing_answers_the_client_is_told_to_come_back() {
    let down = Candidate {
        health: Health::Down,
        ..takes(1, 1000)
    };
    for settings in [json!({}), json!({"p99": "2s"})] {
        let mut host = host(settings);
        for endpoints in [std::slice::from_ref(&down), &[]] {
            let rejection = refusal(&mut ask(&mut host), endpoints);
            assert_eq!((rejection.status, &*rejection.code), (503, "no_endpoint"));
            let after = millis(rejection.retry_after.unwrap());
            assert!((1000..=1500).contains(&after), "{after}");
        }
        assert_eq!(decisions(&host, "no_endpoint"), 2);
    }
}

#[test]
fn a_limit_of_nothing_is_refused() {
    let expected = "max_in_flight: must be greater than 0, got 0; leave it out for no limit";
    assert_eq!(problems(json!({"max_in_flight": 0})), expected);
}
