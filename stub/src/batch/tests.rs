use std::cell::Cell;
use std::rc::Rc;

use super::prefix::BLOCK_TOKENS;
use super::*;
use crate::profile::Profile;

#[derive(Default)]
struct Seat {
    tokens: Cell<u32>,
    left: Cell<bool>,
    sated: Cell<bool>,
}

impl Reader for Rc<Seat> {
    fn has_left(&self) -> bool {
        self.left.get()
    }
    fn wants_token(&self) -> bool {
        !self.sated.get()
    }
    fn token(&self) {
        self.tokens.set(self.tokens.get() + 1);
    }
}

fn batch(total: u32, prefill: u32) -> Batch<Rc<Seat>> {
    Batch::new(Timing {
        max_batch_total_tokens: total,
        max_batch_prefill_tokens: prefill,
        ..Profile::Fast12.timing()
    })
}

fn submit(batch: &mut Batch<Rc<Seat>>, input: u32, output: u32, max_new: u32) -> Rc<Seat> {
    submit_prompt(batch, input, output, max_new, Vec::new())
}

fn submit_prompt(
    batch: &mut Batch<Rc<Seat>>,
    input: u32,
    output: u32,
    max_new: u32,
    blocks: Vec<u64>,
) -> Rc<Seat> {
    let seat = Rc::new(Seat::default());
    batch.submit(Sequence {
        input,
        output,
        max_new,
        blocks,
        reader: seat.clone(),
    });
    seat
}

fn pass(batch: &mut Batch<Rc<Seat>>) -> Load {
    let load = batch.begin().expect("something to compute");
    batch.finish();
    load
}

#[test]
fn the_first_token_comes_when_the_prompt_has_been_read() {
    let mut batch = batch(10_000, 100);
    let seat = submit(&mut batch, 250, 4, 4);
    assert_eq!(pass(&mut batch).prompt_tokens, 100);
    assert_eq!(pass(&mut batch).prompt_tokens, 100);
    assert_eq!(seat.tokens.get(), 0);
    assert_eq!(
        pass(&mut batch),
        Load {
            decoding: 0,
            prompt_tokens: 50,
            context_tokens: 0
        }
    );
    assert_eq!(seat.tokens.get(), 1);
    assert_eq!(
        pass(&mut batch),
        Load {
            decoding: 1,
            prompt_tokens: 0,
            context_tokens: 251
        }
    );
}

#[test]
fn a_long_prompt_is_read_in_chunks_beside_running_answers() {
    let mut batch = batch(10_000, 100);
    let short = submit(&mut batch, 10, 50, 50);
    pass(&mut batch);
    let long = submit(&mut batch, 150, 5, 5);
    assert_eq!(
        pass(&mut batch),
        Load {
            decoding: 1,
            prompt_tokens: 100,
            context_tokens: 11
        }
    );
    assert_eq!((short.tokens.get(), long.tokens.get()), (2, 0));
    assert_eq!(pass(&mut batch).prompt_tokens, 50);
    assert_eq!((short.tokens.get(), long.tokens.get()), (3, 1));
}

#[test]
fn admits_while_prompts_and_caps_fit_and_keeps_the_order() {
    let mut batch = batch(300, 4_096);
    submit(&mut batch, 100, 5, 100);
    submit(&mut batch, 100, 5, 100);
    submit(&mut batch, 10, 5, 10);
    pass(&mut batch);
    let occupancy = batch.occupancy();
    assert_eq!(
        (occupancy.running, occupancy.queued, occupancy.reserved),
        (1, 2, 200)
    );
}

#[test]
fn room_is_given_back_when_an_answer_ends() {
    let mut batch = batch(300, 4_096);
    submit(&mut batch, 100, 2, 100);
    let second = submit(&mut batch, 100, 2, 100);
    pass(&mut batch);
    pass(&mut batch);
    assert_eq!(
        (batch.occupancy().running, batch.occupancy().reserved),
        (0, 0)
    );
    pass(&mut batch);
    assert_eq!(second.tokens.get(), 1);
}

#[test]
fn a_client_that_leaves_frees_its_place_at_the_next_pass() {
    let mut batch = batch(300, 4_096);
    let first = submit(&mut batch, 100, 50, 100);
    let second = submit(&mut batch, 100, 50, 100);
    pass(&mut batch);
    first.left.set(true);
    pass(&mut batch);
    let occupancy = batch.occupancy();
    assert_eq!(
        (occupancy.running, occupancy.queued, occupancy.cancelled),
        (1, 0, 1)
    );
    assert_eq!((first.tokens.get(), second.tokens.get()), (1, 1));
}

#[test]
fn a_client_that_leaves_the_queue_is_dropped_there() {
    let mut batch = batch(300, 4_096);
    let _first = submit(&mut batch, 100, 50, 100);
    let second = submit(&mut batch, 100, 50, 100);
    pass(&mut batch);
    second.left.set(true);
    pass(&mut batch);
    assert_eq!(
        (batch.occupancy().queued, batch.occupancy().cancelled),
        (0, 1)
    );
}

#[test]
fn a_reader_that_wants_nothing_is_left_out_of_a_pass() {
    let mut batch = batch(10_000, 4_096);
    let slow = submit(&mut batch, 10, 50, 50);
    let quick = submit(&mut batch, 10, 50, 50);
    pass(&mut batch);
    slow.sated.set(true);
    assert_eq!(pass(&mut batch).decoding, 1);
    assert_eq!((slow.tokens.get(), quick.tokens.get()), (1, 2));
    quick.sated.set(true);
    assert_eq!(batch.begin(), None);
}

#[test]
fn a_prompt_seen_before_is_read_from_the_cache() {
    let mut batch = batch(10_000, 4_096);
    let blocks = prompt_blocks(&[b'a'; 1000], 250);
    submit_prompt(&mut batch, 250, 1, 1, blocks.clone());
    assert_eq!(pass(&mut batch).prompt_tokens, 250);
    submit_prompt(&mut batch, 250, 1, 1, blocks);
    assert_eq!(pass(&mut batch).prompt_tokens, 250 - 3 * BLOCK_TOKENS);
}

#[test]
fn a_long_answer_is_queued_again_after_a_round() {
    let mut batch = batch(3_000, 4_096);
    let seat = submit(&mut batch, 100, 1_500, 2_000);
    for _ in 0..ROUND_TOKENS {
        pass(&mut batch);
    }
    assert_eq!(
        (batch.occupancy().queued, batch.occupancy().reserved),
        (1, 0)
    );
    assert_eq!(pass(&mut batch).prompt_tokens, 100 + ROUND_TOKENS);
    while batch.begin().is_some() {
        batch.finish();
    }
    assert_eq!(seat.tokens.get(), 1_500);
}
