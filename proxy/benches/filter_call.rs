//! What one call of a filter costs: an instance that is used again, an
//! exchange moved in and out, answers checked, calls counted.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use headworks::exchange::Exchange;
use headworks::filter::Chain;

#[path = "../tests/wasm/support.rs"]
mod support;

use support::{Host, candidates, filter};

/// Measures a call that gives the exchange back, so that one serves for all.
fn bench(
    c: &mut Criterion,
    host: &Host,
    name: &str,
    mut call: impl FnMut(Box<Exchange>) -> Box<Exchange>,
) {
    let mut exchange = Some(host.exchange());
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

fn filter_call(c: &mut Criterion) {
    let host = Host::new();
    let nothing = host.chain(&[filter("allow_all")]);
    bench(c, &host, "on-request that only says next", |exchange| {
        on_request(&nothing, exchange)
    });

    let typical = host.chain(&[filter("bench_typical")]);
    bench(
        c,
        &host,
        "on-request with 4 getters and a route (at most 3 us)",
        |exchange| on_request(&typical, exchange),
    );

    let four = host.chain(&[1, 2, 3, 4].map(|_| filter("bench_typical")));
    bench(c, &host, "on-request of a chain of four", |exchange| {
        on_request(&four, exchange)
    });

    let many = candidates(64);
    bench(
        c,
        &host,
        "place among 64 candidates (at most 20 us)",
        |exchange| {
            let (exchange, choice) = typical.place(exchange, &many, Duration::ZERO);
            assert!(choice.is_ok());
            exchange
        },
    );
}

criterion_group!(benches, filter_call);
criterion_main!(benches);
