//! Continuous batching by TGI's rules, without a clock: what joins a pass, what
//! the pass costs, who gets a token from it. Whoever drives it decides how long
//! a pass takes, in real or in virtual time.

mod prefix;

use std::collections::VecDeque;

use crate::profile::{Load, Timing};
use prefix::PrefixCache;
pub(crate) use prefix::prompt_blocks;

/// A sequence is scheduled for at most this many new tokens, then queued again.
pub(crate) const ROUND_TOKENS: u32 = 1024;

/// Who reads the tokens of a sequence.
pub(crate) trait Reader {
    /// The reader is gone: the sequence ends at the next pass.
    fn has_left(&self) -> bool {
        false
    }

    /// A token would be read now. Passes that cost no time go at the reader's pace.
    fn wants_token(&self) -> bool {
        true
    }

    /// The sequence left the queue.
    fn joined(&self) {}

    /// A pass produced the next token.
    fn token(&self) {}
}

impl Reader for () {}

/// A prompt and the answer that it will get.
#[derive(Debug)]
pub(crate) struct Sequence<R> {
    /// Tokens of the prompt.
    pub input: u32,
    /// Tokens of the answer, `max_new` at most.
    pub output: u32,
    /// Tokens that the answer may have; room is reserved for them.
    pub max_new: u32,
    /// Hashes of the prompt's blocks, for the prefix cache.
    pub blocks: Vec<u64>,
    /// Who reads.
    pub reader: R,
}

impl<R> Sequence<R> {
    fn reservation(&self) -> u32 {
        self.input + self.max_new.min(ROUND_TOKENS)
    }
}

/// What a pass brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    /// Tokens produced.
    pub tokens: u32,
    /// Sequences that are complete.
    pub finished: u32,
}

/// What is on the card and what waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Occupancy {
    /// Sequences that wait.
    pub queued: usize,
    /// Sequences in the batch.
    pub running: usize,
    /// Tokens reserved by the batch.
    pub reserved: u32,
    /// Sequences whose reader left before the end, since the start.
    pub cancelled: u64,
    /// Tokens of prompts that were found in the prefix cache, since the start.
    pub cached: u64,
}

struct Member<R> {
    sequence: Sequence<R>,
    reserved: u32,
    unread_prompt: u32,
    chunk: u32,
    emitted: u32,
    steps: bool,
}

impl<R: Reader> Member<R> {
    fn decodes(&self) -> bool {
        self.unread_prompt == 0
    }

    fn context(&self) -> u32 {
        self.sequence.input + self.emitted
    }

    /// Takes what `budget` allows of the prompt into this pass.
    fn read_prompt(&mut self, budget: &mut u32) {
        self.chunk = self.unread_prompt.min(*budget);
        *budget -= self.chunk;
    }

    fn is_complete(&self) -> bool {
        self.emitted == self.sequence.output
    }
}

/// The queue and the running batch.
pub(crate) struct Batch<R> {
    timing: Timing,
    queue: VecDeque<Sequence<R>>,
    members: Vec<Member<R>>,
    reserved: u32,
    prefixes: PrefixCache,
    cancelled: u64,
    cached: u64,
}

impl<R: Reader> Batch<R> {
    /// An empty card.
    pub(crate) fn new(timing: Timing) -> Self {
        Self {
            timing,
            queue: VecDeque::new(),
            members: Vec::new(),
            reserved: 0,
            prefixes: PrefixCache::default(),
            cancelled: 0,
            cached: 0,
        }
    }

    /// Puts a sequence at the end of the queue.
    pub(crate) fn submit(&mut self, sequence: Sequence<R>) {
        self.queue.push_back(sequence);
    }

    /// What is on the card and what waits.
    pub(crate) fn occupancy(&self) -> Occupancy {
        Occupancy {
            queued: self.queue.len(),
            running: self.members.len(),
            reserved: self.reserved,
            cancelled: self.cancelled,
            cached: self.cached,
        }
    }

    /// Begins a pass: drops who left, goes on with prompts, admits from the
    /// queue. `None` when there is nothing to compute.
    pub(crate) fn begin(&mut self) -> Option<Load> {
        self.drop_who_left();
        let mut load = self.decode();
        let mut budget = self.timing.max_batch_prefill_tokens;
        for member in &mut self.members {
            member.read_prompt(&mut budget);
        }
        self.admit(&mut budget);
        load.prompt_tokens = self.timing.max_batch_prefill_tokens - budget;
        (!load.is_empty()).then_some(load)
    }

    /// Ends the pass that `begin` began: everybody in it gets a token.
    pub(crate) fn finish(&mut self) -> Outcome {
        let mut outcome = Outcome::default();
        for member in &mut self.members {
            let first = member.chunk > 0 && member.chunk == member.unread_prompt;
            member.unread_prompt -= std::mem::take(&mut member.chunk);
            if first || std::mem::take(&mut member.steps) {
                member.emitted += 1;
                outcome.tokens += 1;
                member.sequence.reader.token();
            }
        }
        outcome.finished = self.retire();
        outcome
    }

    fn drop_who_left(&mut self) {
        let before = self.queue.len() + self.members.len();
        self.queue.retain(|sequence| !sequence.reader.has_left());
        let reserved = &mut self.reserved;
        self.members.retain(|member| {
            let stays = !member.sequence.reader.has_left();
            if !stays {
                *reserved -= member.reserved;
            }
            stays
        });
        self.cancelled += (before - self.queue.len() - self.members.len()) as u64;
    }

    fn decode(&mut self) -> Load {
        let mut load = Load::default();
        for member in &mut self.members {
            member.steps = member.decodes() && member.sequence.reader.wants_token();
            if member.steps {
                load.decoding += 1;
                load.context_tokens += u64::from(member.context());
            }
        }
        load
    }

    /// First come, first served: a prompt that does not fit holds up the ones behind it.
    fn admit(&mut self, budget: &mut u32) {
        while *budget > 0 {
            let room = self.timing.max_batch_total_tokens - self.reserved;
            let Some(sequence) = self.queue.pop_front_if(|next| next.reservation() <= room) else {
                break;
            };
            sequence.reader.joined();
            let reserved = sequence.reservation();
            self.reserved += reserved;
            self.prefixes
                .shrink_to(self.timing.max_batch_total_tokens - self.reserved);
            // The last token of a prompt is always computed: the answer starts from it.
            let cached = self.prefixes.hit(&sequence.blocks).min(sequence.input - 1);
            self.cached += u64::from(cached);
            let unread_prompt = sequence.input - cached;
            let mut member = Member {
                sequence,
                reserved,
                unread_prompt,
                chunk: 0,
                emitted: 0,
                steps: false,
            };
            member.read_prompt(budget);
            self.members.push(member);
        }
    }

    fn retire(&mut self) -> u32 {
        let mut finished = 0;
        let mut index = 0;
        while index < self.members.len() {
            let member = &self.members[index];
            let complete = member.is_complete();
            if !complete && member.emitted < ROUND_TOKENS {
                index += 1;
                continue;
            }
            // Keeps the order, so that prompts go on first come, first served.
            let member = self.members.remove(index);
            self.reserved -= member.reserved;
            self.prefixes.keep(&member.sequence.blocks);
            self.prefixes
                .shrink_to(self.timing.max_batch_total_tokens - self.reserved);
            if complete {
                finished += 1;
            } else {
                self.queue.push_back(next_round(member.sequence));
            }
        }
        finished
    }
}

fn next_round<R>(sequence: Sequence<R>) -> Sequence<R> {
    Sequence {
        input: sequence.input + ROUND_TOKENS,
        output: sequence.output - ROUND_TOKENS,
        max_new: sequence.max_new - ROUND_TOKENS,
        ..sequence
    }
}

#[cfg(test)]
mod tests;
