use headworks_sdk::prelude::*;

use crate::RoundRobin;

/// Where requests of a pool go, one after the other.
fn placed(
    host: &mut testing::MockHost<RoundRobin>,
    pool: &str,
    endpoints: &[Candidate],
    requests: usize,
) -> Vec<u32> {
    let mut place = || match host
        .chat("qwen2")
        .routed(pool)
        .send()
        .place(endpoints, Duration::ZERO)
    {
        Placement::At(id) => id,
        other => panic!("{other:?}"),
    };
    (0..requests).map(|_| place()).collect()
}

fn endpoints(ids: impl IntoIterator<Item = u32>) -> Vec<Candidate> {
    let endpoint = |id| Candidate {
        id,
        ..Candidate::default()
    };
    ids.into_iter().map(endpoint).collect()
}

#[test]
fn endpoints_take_turns_whatever_they_have_to_do() {
    let mut host = testing::host::<RoundRobin>(json!({})).unwrap();
    let mut three = endpoints(0..3);
    three[1].in_flight = 99;
    assert_eq!(placed(&mut host, "gpu", &three, 6), [1, 2, 0, 1, 2, 0]);
}

#[test]
fn each_pool_has_a_turn_of_its_own() {
    let mut host = testing::host::<RoundRobin>(json!({})).unwrap();
    let two = endpoints(0..2);
    assert_eq!(placed(&mut host, "big", &two, 1), [1]);
    assert_eq!(placed(&mut host, "small", &two, 1), [1]);
    assert_eq!(placed(&mut host, "big", &two, 1), [0]);
}

#[test]
fn who_is_down_misses_a_turn_and_the_others_share_it() {
    let mut host = testing::host::<RoundRobin>(json!({})).unwrap();
    let mut three = endpoints(0..3);
    three[0].health = Health::Down;
    assert_eq!(placed(&mut host, "gpu", &three, 4), [2, 1, 2, 1]);
}
