use headworks_sdk::prelude::*;

use crate::FixedLimit;

fn place(endpoints: &[Candidate]) -> Placement {
    let mut host = testing::host::<FixedLimit>(json!({"most": 3})).unwrap();
    host.chat("qwen2").send().place(endpoints, Duration::ZERO)
}

fn endpoint(id: u32, in_flight: u32) -> Candidate {
    Candidate {
        id,
        in_flight,
        ..Candidate::default()
    }
}

#[test]
fn below_the_limit_the_fewest_in_flight_decide() {
    assert_eq!(place(&[endpoint(1, 2), endpoint(2, 1)]), Placement::At(2));
    assert_eq!(place(&[endpoint(1, 2), endpoint(2, 3)]), Placement::At(1));
}

#[test]
fn a_request_is_refused_at_once_where_every_endpoint_has_its_most() {
    let Placement::Reject(rejection) = place(&[endpoint(1, 3), endpoint(2, 4)]) else {
        panic!("it is placed");
    };
    assert_eq!((rejection.status, &*rejection.code), (503, "overloaded"));
    assert_eq!(rejection.retry_after, Some(Duration::from_secs(1)));
}

#[test]
fn an_endpoint_that_does_not_answer_is_no_room() {
    let down = Candidate {
        health: Health::Down,
        ..endpoint(1, 0)
    };
    let placement = place(&[down, endpoint(2, 3)]);
    assert!(matches!(placement, Placement::Reject(_)));
}

#[test]
fn a_limit_of_nothing_is_a_mistake() {
    let problems = testing::host::<FixedLimit>(json!({"most": 0})).unwrap_err();
    assert_eq!(problems.to_string(), "most: must be greater than 0, got 0");
}
