//! How long prompts and answers are: log-normal, as chats are.

use rand::rngs::SmallRng;
use rand_distr::{Distribution, LogNormal};

use super::{CHAT_CAP, stream};

/// Tokens of a noisy tenant's prompts.
pub(super) const NOISY_PROMPT: u32 = 600;
/// Longest prompt of a chat: the server holds 8,192 tokens with the answer.
const LONGEST: f64 = 4_000.0;

/// Draws lengths, tokens.
pub(super) struct Lengths {
    inputs: LogNormal<f64>,
    outputs: LogNormal<f64>,
    random: SmallRng,
}

impl Lengths {
    pub(super) fn new(seed: u64) -> Self {
        let around =
            |median: f64, sigma: f64| LogNormal::new(median.ln(), sigma).expect("sigma is finite");
        Self {
            inputs: around(90.0, 0.9),
            outputs: around(110.0, 0.8),
            random: stream(seed, "lengths"),
        }
    }

    /// A prompt and its answer; 42 % of the answers end at the cap.
    pub(super) fn chat(&mut self) -> (u32, u32) {
        let input = self.inputs.sample(&mut self.random).clamp(1.0, LONGEST);
        let output = self
            .outputs
            .sample(&mut self.random)
            .clamp(1.0, f64::from(CHAT_CAP));
        (input.round() as u32, output.round() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_medians_are_as_specified_and_two_in_five_answers_are_cut() {
        let mut lengths = Lengths::new(1);
        let mut drawn: Vec<_> = (0..20_001).map(|_| lengths.chat()).collect();
        let cut = drawn
            .iter()
            .filter(|(_, output)| *output == CHAT_CAP)
            .count();
        assert!((0.40..0.45).contains(&(cut as f64 / 20_001.0)), "{cut}");
        drawn.sort_unstable();
        assert!((87..=93).contains(&drawn[10_000].0), "{}", drawn[10_000].0);
    }
}
