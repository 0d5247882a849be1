//! What the load shaper costs: one decision among 64 endpoints, as percentiles,
//! and all that it adds to a request at 8 endpoints, in CPU time. Endpoints have
//! been observed, and eight requests run on each. Budgets are in the names;
//! nothing here fails when one is missed.
#![expect(clippy::print_stdout, reason = "a bench tells what it measured")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use headworks::config::{Config, Filter as FilterConfig};
use headworks::exchange::Exchange;
use headworks::filter::{Chain, Choice};
use headworks::outcome::End;
use headworks::shape::{Asked, Blocks, Demand, History};
use headworks::upstream::{Pool, Pools, Slot};
use nix::time::ClockId;

#[path = "../tests/wasm/support.rs"]
mod support;

use support::{Host, filter};

const DECISIONS: usize = 200_000;
const RUNNING: usize = 8;
const PROMPT: &str = "What is a headworks, and what does it do with the water of a river?";

/// A pool of so many endpoints that are busy, and what runs on them.
struct Busy {
    pool: Arc<Pool>,
    _running: Vec<Slot>,
}

fn main() {
    let host = Host::new();
    let shaper = host.chain(&[shaper()]);
    decisions(
        &host,
        &shaper,
        64,
        "place among 64 candidates (budget: P99 20 us)",
    );
    decisions(&host, &shaper, 8, "place among 8 candidates");
    whole(
        &host,
        &shaper,
        "the whole shaper, a request at 8 endpoints (budget 10 us of CPU)",
    );
    token("a token told to the predictor");
}

fn shaper() -> FilterConfig {
    let mut shaper = filter("load-shaper");
    // One exchange serves for all decisions, and grows old meanwhile.
    shaper.settings = serde_json::json!({"p99": "5m"});
    shaper
}

impl Busy {
    /// Endpoints of ten milliseconds a token.
    fn new(endpoints: u32) -> Self {
        let urls: Vec<_> = (1..=endpoints)
            .map(|port| format!("http://127.0.0.1:{port}"))
            .collect();
        let text = format!("[pools.pool]\nprotocol = \"tgi\"\nendpoints = {urls:?}\n");
        let config = Config::parse(&text, "bench.toml".as_ref()).expect("it is valid");
        let pools = Pools::new(&config, None);
        let pool = pools.get("pool").expect("it is there").clone();
        let running = (0..endpoints).flat_map(|id| begin(&pool, id)).collect();
        Self {
            pool,
            _running: running,
        }
    }
}

/// Lets an endpoint be observed, and leaves requests that run on it.
fn begin(pool: &Pool, id: u32) -> Vec<Slot> {
    // A second ago, so that what is observed is past.
    let start = Instant::now() - Duration::from_secs(1);
    let demand = demand(&History::default());
    let first = pool.take(id, Some(&demand), start);
    for token in 1..=100 {
        first.progressed(token, start + Duration::from_millis(10) * token);
    }
    first.end(start + Duration::from_secs(1));
    let take = |_| {
        let slot = pool.take(id, Some(&demand), Instant::now());
        slot.progressed(1, Instant::now());
        slot
    };
    (0..RUNNING).map(take).collect()
}

fn demand(history: &History) -> Demand {
    let asked = Asked {
        prompt: 17,
        max_new: Some(128),
        choices: 1,
        streams: true,
    };
    Demand {
        need: asked.need(history.lengths("tenant", "model", asked.prompt)),
        prompt: Blocks::of(PROMPT.as_bytes(), asked.prompt),
        tenant: "tenant".into(),
        deadline: None,
    }
}

fn decisions(host: &Host, shaper: &Chain, endpoints: u32, name: &str) {
    let busy = Busy::new(endpoints);
    let mut exchange = host.exchange();
    exchange.pool = Some(busy.pool.clone());
    let demand = demand(&History::default());
    let candidates = busy.pool.choices(Some(&demand), &[], Instant::now());
    exchange.demand = Some(demand);
    let mut took = Histogram::<u64>::new_with_bounds(1, 1_000_000_000, 3)
        .expect("a second in nanoseconds, three digits");
    for _ in 0..DECISIONS {
        let before = Instant::now();
        let placed;
        (exchange, placed) = shaper.place(exchange, black_box(&candidates), Duration::ZERO);
        took.saturating_record(before.elapsed().as_nanos() as u64);
        assert!(matches!(placed, Ok(Choice::At(_))), "{placed:?}");
    }
    let us = |quantile| took.value_at_quantile(quantile) as f64 / 1e3;
    println!(
        "{name}: P50 {:.2} us, P99 {:.2} us, P99.9 {:.2} us",
        us(0.5),
        us(0.99),
        us(0.999)
    );
}

fn whole(host: &Host, shaper: &Chain, name: &str) {
    let busy = Busy::new(8);
    let history = History::default();
    let mut exchange = host.exchange();
    exchange.pool = Some(busy.pool.clone());
    exchange.filters_run = 1;
    let before = cpu();
    for _ in 0..DECISIONS {
        exchange = request(exchange, &busy.pool, shaper, &history);
    }
    let each = (cpu() - before) / DECISIONS as u32;
    println!("{name}: {:.2} us", each.as_secs_f64() * 1e6);
}

/// All that a request with an objective takes that one without a placing filter
/// does not.
fn request(
    mut exchange: Box<Exchange>,
    pool: &Pool,
    shaper: &Chain,
    history: &History,
) -> Box<Exchange> {
    let now = Instant::now();
    exchange.demand = Some(demand(history));
    let candidates = pool.choices(exchange.demand.as_ref(), &[], now);
    let placed;
    (exchange, placed) = shaper.place(exchange, &candidates, Duration::ZERO);
    let Ok(Choice::At(id)) = placed else {
        panic!("{placed:?}");
    };
    let deadline = exchange.deadline();
    if let Some(demand) = &mut exchange.demand {
        demand.deadline = deadline;
    }
    let slot = pool.take(id, exchange.demand.as_ref(), now);
    // Without news endpoints would be taken for stalled.
    slot.progressed(1, now);
    slot.end(now);
    history.learn("tenant", "model", 17, 100);
    exchange.outcome.end = End::Ok;
    exchange.outcome.latency = Duration::from_millis(900);
    shaper.on_complete(exchange)
}

fn token(name: &str) {
    let busy = Busy::new(1);
    let now = Instant::now();
    let demand = demand(&History::default());
    let slot = busy.pool.take(0, Some(&demand), now);
    let before = cpu();
    for token in 1..=DECISIONS as u32 {
        slot.progressed(token, now + Duration::from_millis(10) * token);
    }
    let each = (cpu() - before) / DECISIONS as u32;
    println!("{name}: {:.3} us", each.as_secs_f64() * 1e6);
}

/// CPU time of this thread.
fn cpu() -> Duration {
    ClockId::CLOCK_THREAD_CPUTIME_ID
        .now()
        .expect("Linux has it")
        .into()
}
