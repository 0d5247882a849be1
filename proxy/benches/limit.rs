//! What limits cost a request: it reserves in four buckets, grows once, and is
//! settled.

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use headworks::limit::{Attribute, Budget, Claim, Cost, Key, Limiter, Now, Period, Unit};

/// Tenants that have buckets.
const TENANTS: usize = 10_000;

fn budget(name: &str, unit: Unit, period: Period) -> Arc<Budget> {
    Arc::new(Budget {
        name: name.into(),
        unit,
        amount: 1 << 40,
        period,
        burst: 1 << 40,
        shadow: false,
    })
}

fn whole_request(c: &mut Criterion) {
    let minute = Period::Rolling(Duration::from_secs(60));
    let budgets = [
        budget("tokens", Unit::Tokens, minute),
        budget("requests", Unit::Requests, minute),
        budget("day", Unit::Tokens, Period::Day),
        budget("open", Unit::Exchanges, Period::AtOnce),
    ];
    let claims: Vec<Vec<Claim>> = (0..TENANTS)
        .map(|tenant| {
            let tenant: Arc<str> = format!("tenant-{tenant}").into();
            let claim = |budget: &Arc<Budget>| Claim {
                budget: Arc::clone(budget),
                key: Key::new([(Attribute::Tenant, Arc::clone(&tenant))]),
            };
            budgets.iter().map(claim).collect()
        })
        .collect();
    let limiter = Arc::new(Limiter::new(|_, _, _| 0));
    let mut turn = 0;
    c.bench_function("limit/reserve, extend, settle, four budgets", |b| {
        b.iter(|| {
            turn = (turn + 7919) % TENANTS;
            let cost = Cost { tokens: 500 };
            let reserved = limiter.reserve(&claims[turn], cost, Now::read());
            let mut reserved = reserved.expect("there is room");
            reserved.extend(64, Now::read()).expect("there is room");
            reserved.settle(530, Now::read());
        });
    });
}

criterion_group!(benches, whole_request);
criterion_main!(benches);
