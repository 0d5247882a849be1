//! What one call of a filter costs: an instance that is used again, an
//! exchange moved in and out, answers checked, calls counted. Budgets are in
//! the names; nothing here fails when one is missed.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use headworks::config::BUILTINS;
use headworks::exchange::Exchange;
use headworks::filter::{Candidate, Chain, Choice};
use headworks::outcome::End;

#[path = "../tests/wasm/support.rs"]
mod support;

use support::{Host, candidates, filter};

/// Measures a call that gives the exchange back, so that one serves for all.
fn bench(
    c: &mut Criterion,
    exchange: Box<Exchange>,
    name: &str,
    mut call: impl FnMut(Box<Exchange>) -> Box<Exchange>,
) {
    let mut exchange = Some(exchange);
    c.bench_function(name, |bencher| {
        bencher.iter(|| {
            let sent = exchange.take().expect("it came back");
            exchange = Some(black_box(call(black_box(sent))));
        });
    });
}

fn on_request(chain: &Chain, exchange: Box<Exchange>) -> Box<Exchange> {
    let (exchange, result) = chain.on_request(exchange);
    assert_eq!(result, Ok(()));
    exchange
}

fn place(chain: &Chain, exchange: Box<Exchange>, candidates: &[Candidate]) -> Box<Exchange> {
    let (exchange, choice) = chain.place(exchange, black_box(candidates), Duration::ZERO);
    assert_eq!(choice, Ok(Choice::At(63)), "the least busy");
    exchange
}

/// A filter that comes with the gateway, with settings that give it work.
fn builtin(name: &str) -> headworks::config::Filter {
    let mut filter = filter(name);
    filter.settings = match name {
        "model-router" => serde_json::json!({"models": {
            "llama3": {"pool": "big"},
            "gpt-4": {"alias": "llama3"},
            "secret": {"pool": "small"},
        }}),
        "token-limits" => serde_json::json!({
            "max_input_tokens": {"limit": 8000},
            "max_new_tokens": {"limit": 1024, "over": "clamp"},
        }),
        "load-shaper" => serde_json::json!({"max_in_flight": 1000}),
        _ => serde_json::json!({}),
    };
    filter
}

/// An exchange that a chain of one filter saw, and that went well.
fn answered(host: &Host) -> Box<Exchange> {
    let mut exchange = host.exchange();
    let now = Instant::now();
    exchange.filters_run = 1;
    exchange.outcome.end = End::Ok;
    exchange.outcome.status = 200;
    exchange.outcome.endpoint = Some("http://127.0.0.1:1".into());
    exchange.outcome.input_tokens = Some(12);
    exchange.outcome.output_tokens = 34;
    exchange.outcome.received = now;
    exchange.outcome.first_token = Some(now + Duration::from_millis(40));
    exchange.outcome.latency = Duration::from_millis(500);
    exchange
}

fn floor(c: &mut Criterion) {
    let host = Host::new();
    let nothing = host.chain(&[filter("allow_all")]);
    bench(
        c,
        host.exchange(),
        "on-request that only says next",
        |exchange| on_request(&nothing, exchange),
    );
    let typical = host.chain(&[filter("bench_typical")]);
    let name = "on-request with 4 getters and a route (budget 3 us)";
    bench(c, host.exchange(), name, |exchange| {
        on_request(&typical, exchange)
    });
    let four = host.chain(&[1, 2, 3, 4].map(|_| filter("bench_typical")));
    bench(c, host.exchange(), "on-request of four such", |exchange| {
        on_request(&four, exchange)
    });
}

fn builtins(c: &mut Criterion) {
    let host = Host::new();
    let [router, limits, shaper, telemetry] = BUILTINS.map(|name| host.chain(&[builtin(name)]));
    let many = candidates(64);
    let name = "model-router, on-request (budget 3 us)";
    bench(c, host.exchange(), name, |exchange| {
        on_request(&router, exchange)
    });
    let name = "token-limits, on-request (budget 3 us)";
    bench(c, host.exchange(), name, |exchange| {
        on_request(&limits, exchange)
    });
    let name = "load-shaper, place among 64 candidates (budget 20 us)";
    bench(c, host.exchange(), name, |exchange| {
        place(&shaper, exchange, &many)
    });
    let name = "telemetry, on-complete";
    bench(c, answered(&host), name, |exchange| {
        telemetry.on_complete(exchange)
    });

    let all = host.chain(&BUILTINS.map(builtin));
    let few = candidates(64).split_off(62);
    let name = "the four: a whole exchange, 2 candidates";
    bench(c, answered(&host), name, |exchange| {
        let exchange = on_request(&all, exchange);
        all.on_complete(place(&all, exchange, &few))
    });
}

criterion_group!(benches, floor, builtins);
criterion_main!(benches);
