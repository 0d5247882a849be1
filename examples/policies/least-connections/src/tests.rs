use std::collections::BTreeSet;

use headworks_sdk::prelude::*;

use crate::LeastConnections;

/// Where some requests go, of which none begins.
fn placed(in_flight: [u32; 3]) -> BTreeSet<u32> {
    let mut host = testing::host::<LeastConnections>(json!({})).unwrap();
    let endpoints = [0, 1, 2].map(|id| Candidate {
        id,
        in_flight: in_flight[id as usize],
        ..Candidate::default()
    });
    let mut place = || match host.chat("qwen2").send().place(&endpoints, Duration::ZERO) {
        Placement::At(id) => id,
        other => panic!("{other:?}"),
    };
    (0..40).map(|_| place()).collect()
}

#[test]
fn the_endpoint_with_the_fewest_in_flight_gets_the_request() {
    assert_eq!(placed([4, 2, 3]), [1].into());
}

#[test]
fn equals_share() {
    assert_eq!(placed([2, 3, 2]), [0, 2].into());
}
