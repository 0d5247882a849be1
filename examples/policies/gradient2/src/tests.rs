use headworks_sdk::prelude::*;

use crate::Gradient2;

type Host = testing::MockHost<Gradient2>;

fn host() -> Host {
    testing::host(json!({})).unwrap()
}

fn place(host: &mut Host, pool: &str, in_flight: u32) -> (testing::Answer<Gradient2>, Placement) {
    let endpoint = Candidate {
        in_flight,
        ..Candidate::default()
    };
    let mut answer = host.chat("qwen2").routed(pool).send();
    let placement = answer.place(&[endpoint], Duration::ZERO);
    (answer, placement)
}

/// How many the pool may have in flight.
fn limit(host: &mut Host, pool: &str) -> u32 {
    let is_full = |in_flight: &u32| matches!(place(host, pool, *in_flight).1, Placement::Reject(_));
    (0..).find(is_full).unwrap()
}

/// Requests that begin when so many others are in flight, and take so long.
fn answers(host: &mut Host, count: u32, others: u32, took: Duration) {
    for _ in 0..count {
        let (answer, placement) = place(host, "gpu", others);
        assert_eq!(placement, Placement::At(0));
        answer.complete(testing::Ended::ok().latency(took));
    }
}

/// Requests that take so long, each the last that the pool may have.
fn busy_answers(host: &mut Host, count: u32, took: Duration) {
    for _ in 0..count {
        let others = limit(host, "gpu") - 1;
        answers(host, 1, others, took);
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_pool_begins_with_twenty() {
    let mut host = host();
    let (_, placement) = place(&mut host, "gpu", 20);
    assert_eq!(placement, Rejection::overloaded(SECOND).into());
    assert_eq!(limit(&mut host, "gpu"), 20);
}

#[test]
fn while_requests_take_as_long_as_ever_the_limit_grows() {
    let mut host = host();
    // By four fifths of a request each.
    answers(&mut host, 10, 19, SECOND);
    assert_eq!(limit(&mut host, "gpu"), 28);
    host.reload(json!({})).unwrap();
    assert_eq!(limit(&mut host, "gpu"), 28, "another instance");
    busy_answers(&mut host, 300, SECOND);
    assert_eq!(limit(&mut host, "gpu"), 200, "the most");
    assert_eq!(limit(&mut host, "other"), 20);
}

#[test]
fn a_limit_that_is_not_used_does_not_grow() {
    let mut host = host();
    answers(&mut host, 100, 5, SECOND);
    assert_eq!(limit(&mut host, "gpu"), 20);
}

#[test]
fn when_requests_take_longer_the_limit_shrinks() {
    let mut host = host();
    busy_answers(&mut host, 30, SECOND);
    let before = limit(&mut host, "gpu");
    // A half more is no sign of a queue.
    busy_answers(&mut host, 2, SECOND * 3 / 2);
    assert!(limit(&mut host, "gpu") > before);
    busy_answers(&mut host, 3, SECOND * 4);
    assert!(limit(&mut host, "gpu") < before);
    busy_answers(&mut host, 50, SECOND * 10);
    assert_eq!(limit(&mut host, "gpu"), 20, "the least");
}

#[test]
fn who_fails_and_who_was_a_probe_says_nothing() {
    let mut host = host();
    let (answer, _) = place(&mut host, "gpu", 19);
    answer.complete(testing::Ended::by(End::Timeout).latency(SECOND));
    let mut answer = host.chat("qwen2").routed("gpu").send();
    let probe = Candidate {
        marks: 1,
        ..Candidate::default()
    };
    assert_eq!(answer.place(&[probe], Duration::ZERO), Placement::At(0));
    answer.complete(testing::Ended::ok().latency(SECOND));
    assert_eq!(limit(&mut host, "gpu"), 20);
}
