//! Guests that misbehave cost the call that they misbehave in.

use std::time::Duration;

use headworks::config::{Breaker, OnError};
use headworks::error::Error;
use headworks::filter::{Choice, Refusal};
use headworks::wasm::{Failure, FailureKind};

use crate::support::{Host, candidates, filter};

/// The failure of a guest in `on_request`; twice, since the second call has to
/// find an instance as good as the first.
fn failure(guest: &str) -> Failure {
    let host = Host::new();
    let filter = host.load(guest).unwrap();
    let (exchange, first) = filter.on_request(host.exchange());
    assert_eq!(
        exchange.call.model(),
        "llama3",
        "the exchange comes back whole"
    );
    let (_, second) = filter.on_request(host.exchange());
    let (first, second) = (first.unwrap_err(), second.unwrap_err());
    assert_eq!((first.kind, &first.message), (second.kind, &second.message));
    let failures = format!(
        "headworks_filter_failures_total{{filter=\"{guest}\",hook=\"on-request\",kind=\"{}\"}}",
        first.kind.as_str()
    );
    assert_eq!(host.metric(&failures), 2.0);
    first
}

fn check(guest: &str, kind: FailureKind, message: &str) {
    let failure = failure(guest);
    assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
}

#[test]
fn a_trap_is_a_failure_with_a_backtrace() {
    check(
        "traps",
        FailureKind::Trap,
        "wasm trap: wasm `unreachable` instruction executed",
    );
    let backtrace = failure("traps").backtrace.unwrap();
    assert!(
        backtrace.contains("on_request") || backtrace.contains("on-request"),
        "{backtrace}"
    );
}

#[test]
fn a_panic_is_a_failure_with_its_text() {
    let failure = failure("panics");
    assert_eq!(failure.kind, FailureKind::Panic);
    let message = &failure.message;
    assert!(
        message.starts_with("panicked at ") && message.ends_with(": oh no"),
        "{message}"
    );
}

#[test]
fn an_endless_loop_runs_into_its_deadline() {
    check(
        "loops",
        FailureKind::Deadline,
        "ran past its deadline of 10ms",
    );
}

#[test]
fn memory_is_refused_beyond_its_bound() {
    let failure = failure("hoards");
    assert_eq!(failure.kind, FailureKind::Memory);
    assert!(
        failure
            .message
            .ends_with("bytes of memory, and `max_memory` is 16777216"),
        "{}",
        failure.message
    );
}

#[test]
fn deep_recursion_exhausts_the_guests_stack_and_not_ours() {
    check(
        "recurses",
        FailureKind::Stack,
        "called itself too deeply: the stack is exhausted",
    );
}

#[test]
fn a_route_to_a_pool_that_is_not_there_is_a_failure() {
    check(
        "routes_nowhere",
        FailureKind::BadCall,
        "there is no pool `nowhere`",
    );
}

#[test]
fn a_place_on_an_endpoint_that_is_not_there_is_a_failure() {
    let host = Host::new();
    let filter = host.load("places_nowhere").unwrap();
    let (_, placed) = filter.place(host.exchange(), &candidates(2), Duration::ZERO);
    let failure = placed.unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadAnswer);
    assert_eq!(
        failure.message,
        "it places at 999, which is not a candidate"
    );
}

#[test]
fn a_flood_of_log_lines_is_cut_and_counted() {
    let host = Host::new();
    let filter = host.load("logs_much").unwrap();
    filter.on_request(host.exchange()).1.unwrap();
    let dropped = host.metric("headworks_filter_log_lines_dropped_total{filter=\"logs_much\"}");
    assert!(
        (900.0..=1000.0).contains(&dropped),
        "{dropped} of 1000 lines were dropped"
    );
}

#[test]
fn a_request_is_refused_when_its_filter_fails() {
    let host = Host::new();
    let chain = host.chain(&[filter("allow_all"), filter("traps"), filter("allow_all")]);
    let (exchange, result) = chain.on_request(host.exchange());
    assert_eq!(
        result,
        Err(Refusal::Failed {
            filter: "traps".into()
        })
    );
    assert_eq!(exchange.filters_run, 2);
    let error = Error::from(result.unwrap_err());
    assert_eq!((error.status(), error.code()), (500, "filter_failed"));
    assert_eq!(error.public_message(), "the filter `traps` failed");
}

#[test]
fn a_request_goes_on_when_its_filter_may_fail() {
    let host = Host::new();
    let mut open = filter("traps");
    open.on_error = OnError::FailOpen;
    let chain = host.chain(&[open.clone(), filter("allow_all")]);
    let (exchange, result) = chain.on_request(host.exchange());
    assert_eq!((result, exchange.filters_run), (Ok(()), 2));

    let mut open = filter("places_nowhere");
    open.on_error = OnError::FailOpen;
    let chain = host.chain(&[open]);
    let (_, choice) = chain.place(host.exchange(), &candidates(2), Duration::ZERO);
    assert_eq!(choice, Ok(Choice::Open));
}

#[test]
fn a_filter_that_keeps_failing_is_taken_out() {
    let host = Host::new();
    let mut config = filter("traps");
    config.breaker = Breaker {
        failures: 3,
        window: Duration::from_secs(60),
        cooldown: Duration::from_secs(60),
    };
    let chain = host.chain(&[config]);
    for _ in 0..10 {
        let (_, result) = chain.on_request(host.exchange());
        assert_eq!(
            result,
            Err(Refusal::Failed {
                filter: "traps".into()
            })
        );
    }
    assert_eq!(
        host.metric("headworks_filter_calls_total{filter=\"traps\",hook=\"on-request\"}"),
        3.0
    );
    assert_eq!(
        host.metric("headworks_filter_calls_skipped_total{filter=\"traps\"}"),
        7.0
    );
    assert_eq!(
        host.metric("headworks_filter_breaker_open{filter=\"traps\"}"),
        1.0
    );
}
