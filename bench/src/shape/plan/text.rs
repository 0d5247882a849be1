//! Text of prompts: pieces of four bytes, each of which the server counts as
//! one token. No two prompts begin alike by chance, so none is found in a cache.

use rand::Rng;
use rand::rngs::SmallRng;

/// Bytes that the server counts as one token.
const TOKEN: usize = 4;

/// A text of so many tokens.
pub(super) fn prompt(random: &mut SmallRng, tokens: u32) -> String {
    let mut text = String::with_capacity(tokens as usize * TOKEN);
    extend(&mut text, random, tokens);
    text
}

/// Adds so many tokens to a text.
pub(super) fn extend(text: &mut String, random: &mut SmallRng, tokens: u32) {
    for _ in 0..tokens {
        for _ in 1..TOKEN {
            text.push(char::from(random.random_range(b'a'..=b'z')));
        }
        text.push(' ');
    }
}

/// Cuts a text or repeats it, to between `1 - most` and `1 + most` of its length.
pub(super) fn misjudge(text: &mut String, most: f64, random: &mut SmallRng) {
    let factor = random.random_range(1.0 - most..=1.0 + most);
    let wanted = ((text.len() as f64 * factor) as usize).max(TOKEN);
    *text = text.chars().cycle().take(wanted).collect();
}
