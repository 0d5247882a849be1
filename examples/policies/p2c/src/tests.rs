use headworks_sdk::prelude::*;

use crate::TwoChoices;

/// How many of 600 requests each endpoint gets, of which none begins.
fn shares<const N: usize>(in_flight: [u32; N]) -> [u32; N] {
    let mut host = testing::host::<TwoChoices>(json!({})).unwrap();
    let endpoints: Vec<Candidate> = (0..)
        .zip(in_flight)
        .map(|(id, in_flight)| Candidate {
            id,
            in_flight,
            ..Candidate::default()
        })
        .collect();
    let mut shares = [0; N];
    for _ in 0..600 {
        match host.chat("qwen2").send().place(&endpoints, Duration::ZERO) {
            Placement::At(id) => shares[id as usize] += 1,
            other => panic!("{other:?}"),
        }
    }
    shares
}

#[test]
fn the_busier_of_two_gets_nothing() {
    assert_eq!(shares([5, 4]), [0, 600]);
}

#[test]
fn of_three_the_busiest_gets_nothing_and_the_next_what_chance_leaves() {
    let [least, more, most] = shares([1, 2, 3]);
    assert_eq!(most, 0);
    // Two of the three pairs have the idlest.
    assert!((350..450).contains(&least), "{least} and {more}");
}

#[test]
fn equals_share() {
    let shares = shares([2, 2, 2]);
    assert!(shares.iter().all(|share| (150..250).contains(share)));
}

#[test]
fn one_alone_is_no_choice() {
    assert_eq!(shares([7]), [600]);
}
