//! Conversations: a system prompt, then turns, each of which repeats all that
//! was said. Real text, so that a server finds in its cache what it has seen.

use rand::Rng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, Zipf};

use super::lengths::Lengths;
use super::{CHAT_CAP, Request, arrivals, stream, text};

/// System prompts, and their tokens.
const SYSTEM_PROMPTS: usize = 8;
const SYSTEM_TOKENS: u32 = 600;
/// A few are used by most.
const ZIPF_EXPONENT: f64 = 1.0;
/// Of turns, the share that begins a conversation: six turns each on average. At
/// 8 turns a second that is as much as least connections bears with a P99 of
/// 4.5 s, which is what the demands suppose.
const BEGINS: f64 = 0.16;
/// No more turns beyond this length: the prompt must fit.
const LONGEST: u32 = 4_000;
/// Least seconds between two turns: one reads the answer before one asks again.
const READS: f64 = 4.0;

struct Conversation {
    number: u64,
    said: String,
    tokens: u32,
    last: f64,
}

/// Turns at `rate`, each of a conversation that goes on or begins.
pub(super) fn plan(rate: f64, seed: u64, seconds: f64) -> Vec<Request> {
    let mut random = stream(seed, "conversations");
    let mut words = stream(seed, "text");
    let mut lengths = Lengths::new(seed);
    let systems: Vec<_> = (0..SYSTEM_PROMPTS)
        .map(|_| text::prompt(&mut words, SYSTEM_TOKENS))
        .collect();
    let mut open: Vec<Conversation> = Vec::new();
    let mut turns = Vec::new();
    for at in arrivals::poisson(rate, seconds, &mut stream(seed, "arrivals")) {
        let (asked, output) = lengths.chat();
        let index = pick(&mut open, &systems, at, &mut random);
        let conversation = &mut open[index];
        text::extend(&mut conversation.said, &mut words, asked);
        conversation.tokens += asked;
        conversation.last = at;
        turns.push(Request {
            at,
            sender: 0,
            prompt: conversation.said.clone(),
            input: conversation.tokens,
            output,
            cap: CHAT_CAP,
            session: Some(conversation.number),
        });
        // The answer, in other words: the server's cache holds prompts only.
        text::extend(&mut conversation.said, &mut words, output);
        conversation.tokens += output;
        if conversation.tokens > LONGEST {
            open.swap_remove(index);
        }
    }
    turns
}

/// The conversation whose turn it is.
fn pick(open: &mut Vec<Conversation>, systems: &[String], at: f64, random: &mut SmallRng) -> usize {
    let begins = random.random_bool(BEGINS);
    let ready: Vec<_> = (0..open.len())
        .filter(|index| open[*index].last + READS <= at)
        .collect();
    if !begins && !ready.is_empty() {
        return ready[random.random_range(0..ready.len())];
    }
    let zipf = Zipf::new(systems.len() as f64, ZIPF_EXPONENT).expect("both are positive");
    let system = zipf.sample(random) as usize - 1;
    if begins && ready.len() > 1 {
        // One begins, so one ends, or there would be ever more.
        open.swap_remove(ready[random.random_range(0..ready.len())]);
    }
    open.push(Conversation {
        number: random.random(),
        said: systems[system].clone(),
        tokens: SYSTEM_TOKENS,
        last: at,
    });
    open.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_repeats_what_was_said_before_it() {
        let turns = plan(8.0, 1, 300.0);
        let repeats = turns
            .iter()
            .enumerate()
            .filter(|(index, turn)| {
                turns[..*index]
                    .iter()
                    .rev()
                    .any(|before| turn.prompt.starts_with(&before.prompt))
            })
            .count();
        let share = repeats as f64 / turns.len() as f64;
        assert!((0.6..0.9).contains(&share), "{share:.2}");
        assert!(turns.iter().all(|turn| turn.input >= SYSTEM_TOKENS));
    }
}
