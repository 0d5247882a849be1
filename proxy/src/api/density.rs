//! How many bytes of a prompt make a token, by model: learned from what upstreams
//! count, since languages and tokenizers differ by a factor of three.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use parking_lot::RwLock;

/// Bytes per token where nothing is known yet; English text on the tokenizers
/// of today's models gives 3.5 to 4.5.
const UNKNOWN: f32 = 4.0;

/// What a mean may be; what is outside is no tokenizer's doing.
const PLAUSIBLE: std::ops::RangeInclusive<f32> = 0.5..=16.0;

/// A prompt of so many tokens weighs as much as all that was learned before it.
/// Short ones tell little: their template outweighs them.
const HALF: f32 = 2048.0;

/// Means by model. They outlive reloads.
#[derive(Debug, Default)]
pub struct Densities {
    texts: Means,
    /// The bytes of a chat are JSON.
    chats: Means,
}

#[derive(Debug, Default)]
struct Means(RwLock<BTreeMap<Box<str>, AtomicU32>>);

impl Densities {
    /// Tokens of a prompt of so many bytes, for a model that the configuration
    /// knows.
    pub fn tokens(&self, model: &str, is_chat: bool, bytes: usize) -> u32 {
        let mean = self.of(is_chat).get(model).unwrap_or(UNKNOWN);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "an estimate; what is too large becomes the largest"
        )]
        let tokens = (bytes as f32 / mean).ceil() as u32;
        tokens
    }

    /// Learns from an upstream's count.
    pub fn learn(&self, model: &str, is_chat: bool, bytes: usize, tokens: u32) {
        if tokens == 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let (bytes, tokens) = (bytes as f32, tokens as f32);
        let newest = bytes / tokens;
        if PLAUSIBLE.contains(&newest) {
            self.of(is_chat)
                .blend(model, newest, tokens / (tokens + HALF));
        }
    }

    fn of(&self, is_chat: bool) -> &Means {
        if is_chat { &self.chats } else { &self.texts }
    }
}

impl Means {
    fn get(&self, model: &str) -> Option<f32> {
        let means = self.0.read();
        Some(f32::from_bits(means.get(model)?.load(Relaxed)))
    }

    /// Moves the mean of a model towards a value. When two do so at once, one
    /// is lost, which changes little.
    fn blend(&self, model: &str, newest: f32, weight: f32) {
        if let Some(mean) = self.0.read().get(model) {
            let old = f32::from_bits(mean.load(Relaxed));
            let blended = old + (newest - old) * weight;
            return mean.store(blended.to_bits(), Relaxed);
        }
        let mean = AtomicU32::new(newest.to_bits());
        self.0.write().insert(model.into(), mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_upstreams_count_replaces_the_guess() {
        let densities = Densities::default();
        assert_eq!(densities.tokens("m", false, 401), 101);
        densities.learn("m", false, 300, 100);
        assert_eq!(densities.tokens("m", false, 300), 100);
        assert_eq!(densities.tokens("m", true, 400), 100);
        assert_eq!(densities.tokens("other", false, 400), 100);
    }

    #[test]
    fn one_odd_prompt_changes_little_and_many_change_all() {
        let densities = Densities::default();
        densities.learn("m", false, 4000, 1000);
        densities.learn("m", false, 20, 20);
        assert_eq!(densities.tokens("m", false, 4000).abs_diff(1000) / 10, 0);
        for _ in 0..1000 {
            densities.learn("m", false, 200, 100);
        }
        assert_eq!(densities.tokens("m", false, 2000).abs_diff(1000) / 10, 0);
    }

    #[test]
    fn nonsense_is_not_learned() {
        let densities = Densities::default();
        densities.learn("m", false, 4000, 0);
        densities.learn("m", false, 4000, 1);
        densities.learn("m", false, 1, 4000);
        assert_eq!(densities.tokens("m", false, 400), 100);
        assert_eq!(densities.tokens("m", false, usize::MAX), u32::MAX);
    }
}
