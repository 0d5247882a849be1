//! The card in virtual time: passes follow one another without waiting, and
//! whoever simulates says when one ends. The rules are those of the server.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, StandardNormal};

use crate::batch::{Batch, Reader, Sequence, prompt_blocks};
use crate::profile::{Load, Profile, Timing};

/// What a request asks of a card.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// Its text, for the prefix cache.
    pub prompt: &'a str,
    /// Tokens of the prompt.
    pub input: u32,
    /// Tokens of the answer.
    pub output: u32,
    /// Tokens that the answer may have; room is reserved for them.
    pub max_new: u32,
}

/// A card with a model on it, and the requests that it works on.
pub struct Card {
    timing: Timing,
    batch: Batch<Seat>,
    random: SmallRng,
    /// Who got a token in the pass that ended last.
    told: Rc<RefCell<Vec<u64>>>,
    readers: HashMap<u64, Rc<Cell<bool>>>,
}

/// Who reads the tokens of one sequence.
struct Seat {
    id: u64,
    told: Rc<RefCell<Vec<u64>>>,
    left: Rc<Cell<bool>>,
}

impl Reader for Seat {
    fn has_left(&self) -> bool {
        self.left.get()
    }

    fn token(&self) {
        self.told.borrow_mut().push(self.id);
    }
}

/// A pass that has begun.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    /// What it works on.
    pub load: Load,
    /// How long it takes.
    pub takes: Duration,
}

impl Card {
    /// An idle card; `seed` makes the jitter of its passes.
    pub fn new(profile: Profile, seed: u64) -> Self {
        let timing = profile.timing();
        Self {
            timing,
            batch: Batch::new(timing),
            random: SmallRng::seed_from_u64(seed),
            told: Rc::default(),
            readers: HashMap::new(),
        }
    }

    /// Queues a request under a number of the caller's choice.
    pub fn submit(&mut self, id: u64, work: Work<'_>) {
        let left = Rc::<Cell<bool>>::default();
        self.readers.insert(id, left.clone());
        self.batch.submit(Sequence {
            input: work.input,
            output: work.output,
            max_new: work.max_new,
            blocks: prompt_blocks(work.prompt.as_bytes(), work.input),
            reader: Seat {
                id,
                told: self.told.clone(),
                left,
            },
        });
    }

    /// A client leaves, or has all of its answer: at the next pass its place is free.
    pub fn leave(&mut self, id: u64) {
        if let Some(left) = self.readers.remove(&id) {
            left.set(true);
        }
    }

    /// Begins a pass; `None` when there is nothing to compute.
    pub fn begin(&mut self) -> Option<Pass> {
        let load = self.batch.begin()?;
        let noise = StandardNormal.sample(&mut self.random);
        let takes = self.timing.pass(load, noise);
        Some(Pass { load, takes })
    }

    /// Ends the pass, and tells by their numbers who got a token.
    pub fn finish(&mut self) -> Vec<u64> {
        self.batch.finish();
        self.told.take()
    }

    /// Requests that wait, and requests that are worked on.
    pub fn occupancy(&self) -> (usize, usize) {
        let occupancy = self.batch.occupancy();
        (occupancy.queued, occupancy.running)
    }

    /// Tokens of prompts and answers that fit together.
    pub fn capacity(&self) -> u32 {
        self.timing.max_batch_total_tokens
    }

    /// Tokens of prompts that were found in the cache.
    pub fn cached_tokens(&self) -> u64 {
        self.batch.occupancy().cached
    }
}
