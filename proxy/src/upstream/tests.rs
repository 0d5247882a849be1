//! What a pool makes of how its endpoints stand.

use std::path::Path;

use super::*;
use crate::filter::{Health, candidate};

/// Pools with a pool `a` of these endpoints, that eject after one failure.
fn pools(urls: &str, previous: Option<&Pools>) -> Pools {
    let text =
        format!("[pools.a]\nprotocol = \"tgi\"\nendpoints = [{urls}]\nhealth.eject_after = 1\n");
    let config = Config::parse(&text, Path::new("headworks.toml"));
    Pools::new(&config.unwrap(), previous)
}

fn ids(candidates: &[Candidate]) -> Vec<u32> {
    candidates.iter().map(|candidate| candidate.id).collect()
}

#[test]
fn never_more_than_half_of_a_pool_is_ejected() {
    for (urls, ejected) in [
        ("'http://a'", 0),
        ("'http://a', 'http://b'", 1),
        ("'http://a', 'http://b', 'http://c'", 1),
        ("'http://a', 'http://b', 'http://c', 'http://d'", 2),
    ] {
        let pools = pools(urls, None);
        let pool = pools.get("a").unwrap();
        let now = Instant::now();
        (0..)
            .zip(&pool.endpoints)
            .for_each(|(id, _)| pool.failed(id, now));
        let out = pool.candidates(None, Instant::now()).into_iter();
        let out = out.filter(|candidate| candidate.health == Health::Down);
        assert_eq!(out.count(), ejected, "{urls}");
        assert!(pool.is_up());
    }
}

#[test]
fn a_drained_endpoint_is_chosen_only_when_nothing_else_is_left() {
    let pools = pools("'http://a', 'http://b'", None);
    let pool = pools.get("a").unwrap();
    pools.endpoint("http://b:80").unwrap().drain();
    assert_eq!(ids(&pool.candidates(None, Instant::now())), [0, 1]);
    assert_eq!(ids(&pool.choices(None, &[], Instant::now())), [0]);
    assert_eq!(ids(&pool.choices(None, &[0], Instant::now())), [1]);
    assert!(pool.is_up());
    pools.endpoint("http://a:80").unwrap().drain();
    assert_eq!(ids(&pool.choices(None, &[], Instant::now())), [0, 1]);
    assert!(!pool.is_up());
}

#[test]
fn a_slot_counts_until_it_is_let_go() {
    let pools = pools("'http://a'", None);
    let pool = pools.get("a").unwrap();
    let running = || pool.candidates(None, Instant::now())[0].in_flight;
    let slot = pool.take(0, None, Instant::now());
    assert_eq!(running(), 1);
    drop(slot);
    assert_eq!(running(), 0);
}

#[test]
fn an_endpoint_of_two_pools_is_one() {
    let text = "
        pools.a = { protocol = 'tgi', endpoints = ['http://a'] }
        pools.b = { protocol = 'tgi', endpoints = [{ url = 'http://a:80/', weight = 2 }] }";
    let config = Config::parse(text, Path::new("headworks.toml")).unwrap();
    let pools = Pools::new(&config, None);
    pools.endpoint("http://a:80").unwrap().drain();
    assert!(pools.iter().all(|pool| !pool.is_up()));
}

#[test]
fn what_is_known_of_an_endpoint_outlives_a_reload_and_a_new_one_begins_slowly() {
    let first = pools("'http://a', 'http://b'", None);
    first.endpoint("http://b:80").unwrap().drain();
    let second = pools("'http://c', 'http://b'", Some(&first));
    assert!(second.endpoint("http://b:80").unwrap().is_drained());
    let marks = |pools: &Pools| {
        let candidates = pools
            .get("a")
            .unwrap()
            .candidates(None, Instant::now())
            .into_iter();
        candidates
            .map(|candidate| candidate.marks)
            .collect::<Vec<_>>()
    };
    assert_eq!(marks(&first), [0, 0]);
    assert_eq!(marks(&second), [candidate::SLOW_START, 0]);
}
