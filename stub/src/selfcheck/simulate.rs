//! The batcher in virtual time: passes follow one another without waiting.

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, LogNormal, StandardNormal};

use crate::batch::{Batch, Outcome, Sequence};
use crate::profile::{Load, Timing};

struct Card {
    timing: Timing,
    batch: Batch<()>,
    random: SmallRng,
    /// Seconds since the start.
    now: f64,
}

impl Card {
    fn new(timing: Timing) -> Self {
        Self {
            timing,
            batch: Batch::new(timing),
            random: SmallRng::seed_from_u64(1),
            now: 0.0,
        }
    }

    fn submit(&mut self, input: u32, output: u32, max_new: u32) {
        self.batch.submit(Sequence {
            input,
            output,
            max_new,
            blocks: Vec::new(),
            reader: (),
        });
    }

    fn pass(&mut self) -> (Load, Outcome) {
        let load = self.batch.begin().unwrap_or_default();
        let noise = StandardNormal.sample(&mut self.random);
        self.now += self.timing.pass(load, noise).as_secs_f64();
        (load, self.batch.finish())
    }
}

/// How fast a batch decodes.
pub(super) struct Rate {
    pub(super) tokens_per_second: f64,
    /// Tokens of context that a pass read.
    pub(super) mean_context: u64,
}

/// Decodes `batch` equal sequences, from after the prompts to the end.
pub(super) fn rate(timing: Timing, batch: u32) -> Rate {
    const INPUT: u32 = 64;
    const OUTPUT: u32 = 257;
    let mut card = Card::new(timing);
    for _ in 0..batch {
        card.submit(INPUT, OUTPUT, OUTPUT);
    }
    while card.pass().0.decoding < batch {}
    let (start, mut tokens, mut context, mut passes) = (card.now, 0, 0, 0);
    while card.batch.occupancy().running > 0 {
        let (load, outcome) = card.pass();
        tokens += outcome.tokens;
        context += load.context_tokens;
        passes += 1;
    }
    Rate {
        tokens_per_second: f64::from(tokens) / (card.now - start),
        mean_context: context / passes,
    }
}

/// Chat requests per second when as many as may wait always do.
pub(super) fn capacity(timing: Timing) -> f64 {
    const CONCURRENT: usize = 128;
    const CAP: u32 = 128;
    const WARM_UP: f64 = 30.0;
    const END: f64 = 330.0;
    let inputs = LogNormal::new(90_f64.ln(), 0.9).expect("a constant, finite deviation");
    let outputs = LogNormal::new(110_f64.ln(), 0.8).expect("a constant, finite deviation");
    let mut workload = SmallRng::seed_from_u64(2);
    let mut length = |of: &LogNormal<f64>| of.sample(&mut workload).round().max(1.0) as u32;
    let mut card = Card::new(timing);
    let mut finished = 0;
    while card.now < END {
        let occupancy = card.batch.occupancy();
        for _ in occupancy.queued + occupancy.running..CONCURRENT {
            card.submit(length(&inputs), length(&outputs).min(CAP), CAP);
        }
        let (_, outcome) = card.pass();
        if card.now > WARM_UP {
            finished += outcome.finished;
        }
    }
    f64::from(finished) / (END - WARM_UP)
}
