//! Users who think, ask and wait, each in a loop of their own.

use rand_distr::{Distribution, Exp1};

use super::lengths::Lengths;
use super::{CHAT_CAP, Request, stream, text};

/// Mean seconds from an answer to the next question.
const THINKS: f64 = 3.8;

/// What each of `count` users asks; more than they come to ask in `seconds`.
pub(super) fn plan(count: usize, seed: u64, seconds: f64) -> Vec<Vec<Request>> {
    (0..count).map(|user| one(user, seed, seconds)).collect()
}

fn one(user: usize, seed: u64, seconds: f64) -> Vec<Request> {
    // Users do not share random numbers: how often one asks must not change another's questions.
    let own = seed.wrapping_mul(1_000).wrapping_add(user as u64);
    let mut thinks = stream(own, "thinks");
    let mut words = stream(own, "text");
    let mut lengths = Lengths::new(own);
    let mut thought = 0.0;
    let mut requests = Vec::new();
    while thought < seconds {
        let pause: f64 = Exp1.sample(&mut thinks);
        let pause = pause * THINKS;
        thought += pause;
        let (input, output) = lengths.chat();
        requests.push(Request {
            at: pause,
            sender: user,
            prompt: text::prompt(&mut words, input),
            input,
            output,
            cap: CHAT_CAP,
            session: None,
        });
    }
    requests
}
