//! The batcher in virtual time: passes follow one another without waiting.

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, LogNormal};

use crate::profile::{Load, Profile};
use crate::simulate::{self, Work};

struct Card {
    card: simulate::Card,
    submitted: u64,
    /// Seconds since the start.
    now: f64,
}

/// What a pass did.
#[derive(Default)]
struct Passed {
    load: Load,
    tokens: usize,
    finished: usize,
}

impl Card {
    fn new(profile: Profile) -> Self {
        Self {
            card: simulate::Card::new(profile, 1),
            submitted: 0,
            now: 0.0,
        }
    }

    fn submit(&mut self, input: u32, output: u32, max_new: u32) {
        self.submitted += 1;
        let work = Work {
            prompt: "",
            input,
            output,
            max_new,
        };
        self.card.submit(self.submitted, work);
    }

    fn pass(&mut self) -> Passed {
        let before = self.occupied();
        let Some(pass) = self.card.begin() else {
            return Passed::default();
        };
        self.now += pass.takes.as_secs_f64();
        let tokens = self.card.finish().len();
        Passed {
            load: pass.load,
            tokens,
            finished: before - self.occupied(),
        }
    }

    fn occupied(&self) -> usize {
        let (queued, running) = self.card.occupancy();
        queued + running
    }
}

/// How fast a batch decodes.
pub(super) struct Rate {
    pub(super) tokens_per_second: f64,
    /// Tokens of context that a pass read.
    pub(super) mean_context: u64,
}

/// Decodes `batch` equal sequences, from after the prompts to the end.
pub(super) fn rate(profile: Profile, batch: u32) -> Rate {
    const INPUT: u32 = 64;
    const OUTPUT: u32 = 257;
    let mut card = Card::new(profile);
    for _ in 0..batch {
        card.submit(INPUT, OUTPUT, OUTPUT);
    }
    while card.pass().load.decoding < batch {}
    let (start, mut tokens, mut context, mut passes) = (card.now, 0, 0, 0);
    while card.occupied() > 0 {
        let passed = card.pass();
        tokens += passed.tokens;
        context += passed.load.context_tokens;
        passes += 1;
    }
    Rate {
        tokens_per_second: tokens as f64 / (card.now - start),
        mean_context: context / passes,
    }
}

/// Chat requests per second when as many as may wait always do.
pub(super) fn capacity(profile: Profile) -> f64 {
    const CONCURRENT: usize = 128;
    const CAP: u32 = 128;
    const WARM_UP: f64 = 30.0;
    const END: f64 = 330.0;
    let inputs = LogNormal::new(90_f64.ln(), 0.9).expect("a constant, finite deviation");
    let outputs = LogNormal::new(110_f64.ln(), 0.8).expect("a constant, finite deviation");
    let mut workload = SmallRng::seed_from_u64(2);
    let mut length = |of: &LogNormal<f64>| of.sample(&mut workload).round().max(1.0) as u32;
    let mut card = Card::new(profile);
    let mut finished = 0;
    while card.now < END {
        for _ in card.occupied()..CONCURRENT {
            card.submit(length(&inputs), length(&outputs).min(CAP), CAP);
        }
        let passed = card.pass();
        if card.now > WARM_UP {
            finished += passed.finished;
        }
    }
    finished as f64 / (END - WARM_UP)
}
