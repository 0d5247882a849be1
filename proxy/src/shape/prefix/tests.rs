use proptest::prelude::*;

use super::*;

/// A text of `a`s, which differs from others in what follows them.
fn text(length: usize, then: &str) -> Vec<u8> {
    let mut text = vec![b'a'; length];
    text.extend(then.bytes().cycle().take(2000));
    text
}

/// Four bytes are a token here.
fn blocks(text: &[u8]) -> Blocks {
    Blocks::of(text, (text.len() / 4) as u32)
}

#[test]
fn prompts_that_begin_alike_have_that_in_common() {
    let mut cache = Prefix::new(10_000);
    cache.learn(&blocks(&text(1000, "one")));
    // Of 1000 bytes there are three full blocks.
    assert_eq!(cache.cached_tokens(&blocks(&text(1000, "two"))), 192);
    assert_eq!(cache.cached_tokens(&blocks(&text(1024, "two"))), 192);
    assert_eq!(cache.cached_tokens(&blocks(&text(0, "two"))), 0);
    let known = text(1000, "one");
    assert_eq!(cache.cached_tokens(&blocks(&known)), 11 * 64);
    assert_eq!(cache.cached_tokens(&blocks(&known[..1000])), 192);
}

#[test]
fn what_comes_after_a_difference_is_not_there() {
    let mut cache = Prefix::new(10_000);
    let mut text = text(0, "one");
    cache.learn(&blocks(&text));
    text[300] ^= 1;
    assert_eq!(cache.cached_tokens(&blocks(&text)), 64);
}

#[test]
fn tokens_are_counted_as_those_of_the_prompt_are() {
    let mut cache = Prefix::new(10_000);
    let text = text(512, "");
    cache.learn(&blocks(&text));
    for tokens in [0, 1, 100, 512] {
        assert_eq!(cache.cached_tokens(&Blocks::of(&text, tokens)), tokens);
    }
}

#[test]
fn the_beginning_of_a_prompt_that_is_used_often_stays() {
    let mut cache = Prefix::new(64 * 20);
    let common = text(1024, "");
    for user in 0..50 {
        cache.learn(&blocks(&text(1024, &format!("{user}"))));
        assert_eq!(cache.cached_tokens(&blocks(&common)), 256);
    }
    // There is room for two users beside it.
    let of = |user| cache.cached_tokens(&blocks(&text(1024, user)));
    assert_eq!((of("49"), of("48"), of("47")), (704, 704, 384));
}

#[test]
fn of_a_prompt_that_does_not_fit_the_beginning_is_kept() {
    let mut cache = Prefix::new(300);
    let long = blocks(&text(100_000, ""));
    cache.learn(&long);
    assert_eq!(cache.cached_tokens(&long), 256);
    cache.set_capacity(130);
    assert_eq!(cache.cached_tokens(&long), 128);
    cache.forget();
    assert_eq!((cache.cached_tokens(&long), cache.tokens()), (0, 0));
    cache.set_capacity(0);
    cache.learn(&long);
    assert_eq!(cache.cached_tokens(&long), 0);
}

#[test]
fn of_very_long_prompts_the_rest_counts_as_new() {
    let mut cache = Prefix::new(u32::MAX);
    let long = vec![b'a'; 2 * MOST * BLOCK];
    let long = Blocks::of(&long, u32::MAX);
    cache.learn(&long);
    assert_eq!(cache.cached_tokens(&long), u32::MAX / 2);
}

/// Texts of a few letters, so that many begin alike.
fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let letters = proptest::collection::vec("a|b", 0..12);
    let text = letters.prop_map(|it| it.iter().map(|it| it.repeat(152)).collect::<String>());
    let text = text.prop_map(String::into_bytes);
    proptest::collection::vec(text, 1..40)
}

fn in_common(one: &[u8], other: &[u8]) -> usize {
    let pairs = one.iter().zip(other);
    pairs.take_while(|(one, other)| one == other).count()
}

proptest! {
    #[test]
    fn all_is_known_that_was_learned_and_nothing_else(texts in texts()) {
        let mut cache = Prefix::new(1_000_000);
        for (count, text) in texts.iter().enumerate() {
            let longest = texts[..count].iter().map(|it| in_common(it, text)).max();
            let known = longest.unwrap_or_default() / BLOCK * 64;
            prop_assert_eq!(cache.cached_tokens(&blocks(text)), known as u32);
            cache.learn(&blocks(text));
        }
    }

    #[test]
    fn there_is_never_more_than_fits_nor_than_the_prompt(
        texts in texts(), capacities in proptest::collection::vec(0..3000_u32, 40), tokens in any::<u32>()
    ) {
        let mut cache = Prefix::new(1000);
        for (text, capacity) in texts.iter().zip(capacities) {
            cache.set_capacity(capacity);
            cache.learn(&blocks(text));
            prop_assert!(cache.tokens() <= capacity);
            for text in &texts {
                let prompt = Blocks::of(text, tokens);
                prop_assert!(cache.cached_tokens(&prompt) <= tokens);
                // What is there of a prompt is its beginning.
                let is_there = |block: &u64| cache.blocks.contains(block);
                let run = prompt.chain.iter().take_while(|it| is_there(it)).count();
                prop_assert_eq!(run, prompt.chain.iter().filter(|it| is_there(it)).count());
            }
        }
    }
}
