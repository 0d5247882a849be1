//! What a guest sees and changes, and what is left of it afterwards.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use headworks::config::Grant;
use headworks::exchange::Exchange;
use headworks::filter::{Choice, Verdict};
use headworks::outcome::End;
use headworks::wasm::{FailureKind, Options};

use crate::support::{Host, candidates, filter, guest_bytes};

fn tag<'a>(exchange: &'a Exchange, key: &str) -> Option<&'a str> {
    exchange
        .tags
        .iter()
        .find(|(known, _)| known == key)
        .map(|(_, value)| value.as_str())
}

#[test]
fn a_filter_routes_by_what_it_reads() {
    let host = Host::new();
    let (exchange, result) = host
        .chain(&[filter("bench_typical")])
        .on_request(host.exchange());
    assert_eq!(result, Ok(()));
    assert_eq!(exchange.pool.as_ref().map(|pool| &*pool.name), Some("big"));
}

#[test]
fn a_filter_places_by_what_it_is_told() {
    let host = Host::new();
    let chain = host.chain(&[filter("bench_typical"), filter("allow_all")]);
    let (_, choice) = chain.place(host.exchange(), &candidates(64), Duration::ZERO);
    assert_eq!(choice, Ok(Choice::At(63)), "the least busy");
}

#[test]
fn without_a_filter_that_places_the_gateway_does() {
    let host = Host::new();
    let chain = host.chain(&[filter("allow_all")]);
    let (_, choice) = chain.place(host.exchange(), &candidates(2), Duration::ZERO);
    assert_eq!(choice, Ok(Choice::Open));
}

#[test]
fn an_instance_is_used_again_until_it_is_worn() {
    let host = Host::with(Options {
        calls_per_instance: 3,
        ..Options::default()
    });
    let filter = host.load("remembers").unwrap();
    let calls = (0..7).map(|_| {
        let (exchange, verdict) = filter.on_request(host.exchange());
        assert_eq!(verdict, Ok(Verdict::Next));
        tag(&exchange, "instance-calls").unwrap().to_owned()
    });
    assert_eq!(
        calls.collect::<Vec<_>>(),
        ["1", "2", "3", "1", "2", "3", "1"]
    );
}

#[test]
fn what_a_filter_stores_outlives_its_reload() {
    let host = Host::new();
    let first = host.load("remembers").unwrap();
    let (exchange, _) = first.on_request(host.exchange());
    assert_eq!(tag(&exchange, "calls"), Some("1"));
    let second = host.load("remembers").unwrap();
    drop(first);
    let (exchange, _) = second.on_request(host.exchange());
    assert_eq!(tag(&exchange, "calls"), Some("2"));
    let mut other = filter("remembers");
    other.name = "another".into();
    let other = host
        .load_bytes(&other, 0, &guest_bytes("remembers"))
        .unwrap();
    let (exchange, _) = other.on_request(host.exchange());
    assert_eq!(
        tag(&exchange, "calls"),
        Some("1"),
        "the store is the filter's own"
    );
}

#[test]
fn each_filter_has_its_own_state_of_an_exchange() {
    let host = Host::new();
    let chain = host.chain(&[
        filter("remembers"),
        filter("allow_all"),
        filter("remembers"),
    ]);
    let (mut exchange, _) = chain.on_request(host.exchange());
    assert_eq!(exchange.filters_run, 3);
    exchange.set_state(2, b"changed".to_vec());
    exchange.outcome.end = End::ClientGone;
    chain.on_complete(exchange);
    let (next, _) = chain.on_request(host.exchange());
    assert_eq!(
        tag(&next, "endings"),
        Some("changed client-gone;seen client-gone;"),
        "the last filter comes first"
    );
}

#[test]
fn what_a_filter_declares_and_counts_is_known() {
    let host = Host::new();
    let filter = host.load("remembers").unwrap();
    assert_eq!(*filter.models(), BTreeSet::from(["remembered".to_owned()]));
    assert!(filter.plan().on_request && filter.plan().on_complete && !filter.plan().place);
    filter.on_request(host.exchange()).1.unwrap();
    assert_eq!(
        host.metric("headworks_test_calls_total{model=\"llama3\"}"),
        1.0
    );
    assert_eq!(
        host.metric("headworks_filter_calls_total{filter=\"remembers\",hook=\"on-request\"}"),
        1.0
    );
}

#[test]
fn prompt_content_is_for_those_who_were_granted_it() {
    let host = Host::new();
    let mut config = filter("reads_content");
    let reader = host.load("reads_content").unwrap();
    let failure = reader.on_request(host.exchange()).1.unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadCall);
    assert!(
        failure
            .message
            .contains("add grants = [\"content\"] to the filter"),
        "{failure}"
    );

    config.grants = BTreeSet::from([Grant::Content]);
    let reader = host
        .load_bytes(&config, 0, &guest_bytes("reads_content"))
        .unwrap();
    let (exchange, verdict) = reader.on_request(host.exchange());
    assert_eq!(verdict, Ok(Verdict::Next));
    assert_eq!(tag(&exchange, "content"), Some("\"What is a headworks?\""));
}

#[test]
fn threads_share_a_filter() {
    let host = Host::new();
    let filter = host.load("remembers").unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    filter.on_request(host.exchange()).1.unwrap();
                }
            });
        }
    });
    let (exchange, _) = filter.on_request(host.exchange());
    assert_eq!(tag(&exchange, "calls"), Some("1601"));
}
