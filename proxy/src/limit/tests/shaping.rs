//! The leases of SHAPING.md 1.5 in simulated time: one key of 60,000 tokens per
//! minute is asked for twice that over ten minutes, with a burst of 60 requests.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::shape::History;

const LIMIT: u32 = 60_000;
const BURST: u32 = 5000;
const MINUTES: u32 = 10;

/// Ticks of a minute; an answer gets a token in each fifth.
const TICKS: u32 = 12_000;
const PER_TOKEN: u32 = 5;

/// Ticks until the first token.
const PREFILL: u32 = 60;

/// New tokens that a request may have.
const CAP: u32 = 1024;

/// What is reserved for an answer at first.
#[derive(Clone, Copy)]
enum First {
    Step,
    Usual,
}

/// An answer on its way.
struct Stream {
    lease: Lease,
    input: u32,
    /// Where it ends by itself, or by its client who leaves.
    length: u32,
    is_whole: bool,
    begun: u32,
    output: u32,
}

struct Simulation {
    first: First,
    limiter: Arc<Limiter>,
    history: History,
    claims: [Claim; 1],
    clock: Clock,
    random: SmallRng,
    streams: Vec<Stream>,
    /// Tokens that were used, by tick.
    used: Vec<u32>,
    admitted: u32,
    cut: u32,
}

impl Simulation {
    fn new(first: First, seed: u64) -> Self {
        let mut budget = budget("b", Unit::Tokens, LIMIT.into(), MINUTE);
        budget.burst = BURST.into();
        Self {
            first,
            limiter: limiter(),
            history: History::default(),
            claims: [claim_of(budget, "t")],
            clock: Clock::default(),
            random: SmallRng::seed_from_u64(seed),
            streams: Vec::new(),
            used: Vec::new(),
            admitted: 0,
            cut: 0,
        }
    }

    /// Lengths as in Azure's trace of conversations, by median and mean.
    fn length(&mut self, median: f64, mean: f64) -> u32 {
        let (one, two): (f64, f64) = (self.random.random(), self.random.random());
        let normal = (-2.0 * (1.0 - one).ln()).sqrt() * (std::f64::consts::TAU * two).cos();
        let sigma = (2.0 * (mean / median).ln()).sqrt();
        (median * (sigma * normal).exp()).ceil() as u32
    }

    fn run(mut self) -> Self {
        for tick in 0..MINUTES * TICKS {
            self.clock.passed = Duration::from_millis(u64::from(tick) * 5);
            self.used.push(0);
            let burst = if tick == MINUTES * TICKS / 2 { 60 } else { 0 };
            let arrives = self.random.random_bool(2.0 * 5.0 / 1350.0);
            for _ in 0..burst + u32::from(arrives) {
                self.ask(tick);
            }
            let mut streams = std::mem::take(&mut self.streams);
            for stream in &mut streams {
                self.stream(stream, tick);
            }
            self.settle(streams);
        }
        self
    }

    fn ask(&mut self, tick: u32) {
        let input = self.length(1020.0, 1155.0);
        let whole = self.length(129.0, 211.0).min(CAP);
        let is_whole = self.random.random_bool(0.9);
        let length = if is_whole {
            whole
        } else {
            self.random.random_range(0..whole)
        };
        let output = match self.first {
            First::Step => 64,
            First::Usual => {
                let lengths = self.history.lengths("t", "m", input);
                let usual = lengths.map(|lengths| lengths.usual);
                usual.map_or(CAP, |usual| usual.min(CAP))
            }
        };
        let cost = tokens(u64::from(input) + u64::from(output));
        let Ok(reserved) = self.limiter.reserve(&self.claims, cost, self.clock.now()) else {
            return;
        };
        self.admitted += 1;
        *self.used.last_mut().unwrap() += input;
        self.streams.push(Stream {
            lease: Lease::new(reserved, output, Some(CAP)),
            input,
            length,
            is_whole,
            begun: tick,
            output: 0,
        });
    }

    /// Gives a stream its next token, if that is due.
    fn stream(&mut self, stream: &mut Stream, tick: u32) {
        let age = tick - stream.begun;
        if age < PREFILL || !age.is_multiple_of(PER_TOKEN) || stream.output >= stream.length {
            return;
        }
        stream.output += 1;
        *self.used.last_mut().unwrap() += 1;
        let has_ended = stream.output >= stream.length;
        let now = || self.clock.now();
        if !has_ended && !stream.lease.goes_on_at(stream.output, now) {
            self.cut += 1;
            stream.length = stream.output;
            stream.is_whole = false;
        }
    }

    fn settle(&mut self, streams: Vec<Stream>) {
        let has_ended = |stream: &Stream| stream.output >= stream.length;
        let (ended, going): (Vec<Stream>, Vec<Stream>) = streams.into_iter().partition(has_ended);
        self.streams = going;
        for stream in ended {
            if stream.is_whole {
                self.history.learn("t", "m", stream.input, stream.output);
            }
            let used = u64::from(stream.input) + u64::from(stream.output);
            stream
                .lease
                .into_reservation()
                .settle(used, self.clock.now());
        }
    }

    fn worst_minute(&self) -> f64 {
        let (mut sum, mut worst) = (0, 0);
        for (tick, used) in self.used.iter().enumerate() {
            let gone = tick.checked_sub(TICKS as usize);
            sum = sum + used - gone.map_or(0, |gone| self.used[gone]);
            worst = worst.max(sum);
        }
        f64::from(worst) / f64::from(LIMIT)
    }

    fn utilisation(&self) -> f64 {
        f64::from(self.used.iter().sum::<u32>()) / f64::from(LIMIT * MINUTES)
    }
}

#[track_caller]
fn check(first: First) {
    for seed in 1..=3 {
        let run = Simulation::new(first, seed).run();
        let (worst, utilisation) = (run.worst_minute(), run.utilisation());
        let told = format!(
            "worst minute {worst:.3}, utilisation {utilisation:.3}, {} admitted, {} cut",
            run.admitted, run.cut
        );
        println!("{told}");
        let legal = f64::from(LIMIT + BURST) / f64::from(LIMIT) + 0.01;
        assert!(worst <= legal && utilisation >= 0.96, "{told}");
    }
}

#[test]
fn leases_of_64_tokens_use_the_limit_and_no_more() {
    check(First::Step);
}

#[test]
fn leases_of_what_is_expected_use_the_limit_and_no_more() {
    check(First::Usual);
}
