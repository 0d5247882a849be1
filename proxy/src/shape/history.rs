//! How long answers are: on average, and what nine of ten do not exceed, by
//! tenant, model and length of the prompt. A request reserves the latter instead
//! of the most it may have, which few use.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use parking_lot::Mutex;

/// Kinds of requests that are remembered.
const MOST: usize = 4096;

/// Answers before which nothing is known.
const ENOUGH: u8 = 8;

/// Tenths of a token that the P90 goes up by a longer answer, and down by
/// another. Where it stays, nine of ten are others (Robbins and Monro, A
/// stochastic approximation method, 1951).
const STEPS: (u32, u32) = (36, 4);

/// Weight of the newest answer in the mean.
const NEWEST: f64 = 0.05;

/// Lengths of answers.
#[derive(Debug, Default)]
pub struct History {
    entries: Mutex<Entries>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Entries {
    /// By the hash of what kind of request it is: two kinds that share one are
    /// as rare as harmless, and none has to be kept.
    lengths: HashMap<u64, Length, RandomState>,
    /// Counts uses.
    clock: u64,
}

/// Lengths of the answers to one kind of request.
#[derive(Debug, Default)]
struct Length {
    answers: u8,
    /// The longest of the first answers, then approximated; in tenths of a token.
    p90: u32,
    /// In tokens.
    mean: f64,
    used: u64,
}

/// How long answers of a kind are, in new tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// On average.
    pub mean: u32,
    /// At most, but for one in ten.
    pub usual: u32,
}

/// Kinds that a request is one of: its tenant's with prompts of its length, all
/// tenants' with such prompts, and all of its model's. Twice the length is another.
const KINDS: usize = 3;

impl History {
    /// How long answers to such requests are, by the narrowest kind of which that
    /// is known; nothing where it is known of none.
    pub fn lengths(&self, tenant: &str, model: &str, input: u32) -> Option<Lengths> {
        let kinds = self.kinds(tenant, model, input);
        let mut entries = self.entries.lock();
        let clock = entries.tick();
        kinds.iter().find_map(|kind| {
            let length = entries.lengths.get_mut(kind)?;
            length.used = clock;
            length.lengths()
        })
    }

    /// An answer had so many tokens.
    pub fn learn(&self, tenant: &str, model: &str, input: u32, output: u32) {
        let kinds = self.kinds(tenant, model, input);
        let mut entries = self.entries.lock();
        let clock = entries.tick();
        for kind in kinds {
            if entries.lengths.len() >= MOST && !entries.lengths.contains_key(&kind) {
                entries.forget_some();
            }
            let length = entries.lengths.entry(kind).or_default();
            length.used = clock;
            length.learn(output);
        }
    }

    fn kinds(&self, tenant: &str, model: &str, input: u32) -> [u64; KINDS] {
        let size = (input / 64).max(1).ilog2();
        [
            self.hasher.hash_one((Some(tenant), model, Some(size))),
            self.hasher.hash_one((None::<&str>, model, Some(size))),
            self.hasher.hash_one((None::<&str>, model, None::<u32>)),
        ]
    }
}

impl Entries {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Forgets an eighth, that of which nothing was heard for longest: to find
    /// just the last would take as long.
    fn forget_some(&mut self) {
        let mut used: Vec<u64> = self.lengths.values().map(|length| length.used).collect();
        let (_, &mut last, _) = used.select_nth_unstable(MOST / 8 - 1);
        self.lengths.retain(|_, length| length.used > last);
    }
}

impl Length {
    fn lengths(&self) -> Option<Lengths> {
        (self.answers >= ENOUGH).then(|| Lengths {
            mean: self.mean.round() as u32,
            usual: self.p90.div_ceil(10),
        })
    }

    /// The longest of eight answers is as good as their P90, and a better
    /// beginning than nothing: the steps are small.
    fn learn(&mut self, output: u32) {
        // The plain average of the first answers, so that none weighs more.
        let weight = NEWEST.max(1.0 / (f64::from(self.answers) + 1.0));
        self.mean += weight * (f64::from(output) - self.mean);
        let output = output.saturating_mul(10);
        if self.answers < ENOUGH {
            self.answers += 1;
            self.p90 = self.p90.max(output);
        } else if output > self.p90 {
            self.p90 = self.p90.saturating_add(STEPS.0);
        } else {
            self.p90 = self.p90.saturating_sub(STEPS.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn usual(history: &History, tenant: &str, model: &str, input: u32) -> Option<u32> {
        let lengths = history.lengths(tenant, model, input);
        lengths.map(|lengths| lengths.usual)
    }

    #[test]
    fn after_some_answers_it_is_known_how_long_they_are() {
        let history = History::default();
        for answer in 0..8 {
            assert_eq!(history.lengths("t", "m", 100), None);
            history.learn("t", "m", 100, 107 - answer);
        }
        let known = Some(Lengths {
            mean: 104,
            usual: 107,
        });
        assert_eq!(history.lengths("t", "m", 100), known);
        assert_eq!(history.lengths("t", "n", 100), None);
    }

    #[test]
    fn what_is_not_known_of_a_tenant_or_a_length_is_taken_from_all() {
        let history = History::default();
        for _ in 0..8 {
            history.learn("t", "m", 100, 10);
            history.learn("u", "m", 1000, 90);
        }
        let of = |tenant, input| usual(&history, tenant, "m", input);
        assert_eq!([of("t", 100), of("t", 127)], [Some(10), Some(10)]);
        // Another tenant's prompts of that length, then the model's.
        assert_eq!([of("t", 1000), of("v", 100)], [Some(90), Some(10)]);
        assert!(of("t", 9000) > Some(80));
    }

    #[test]
    fn nine_of_ten_answers_are_no_longer_than_expected() {
        let history = History::default();
        let mut random = SmallRng::seed_from_u64(1);
        let mut longer = 0;
        for answer in 0..20_000 {
            let output = random.random_range(1..=400);
            let usual = usual(&history, "t", "m", 0);
            longer += u32::from(answer >= 1000 && Some(output) > usual);
            history.learn("t", "m", 0, output);
        }
        assert!((1700..2100).contains(&longer), "{longer} of 19000");
    }

    #[test]
    fn the_mean_follows_the_answers() {
        let history = History::default();
        (0..8).for_each(|_| history.learn("t", "m", 100, 100));
        (0..200).for_each(|_| history.learn("t", "m", 100, 10));
        let mean = history.lengths("t", "m", 100).map(|lengths| lengths.mean);
        assert_eq!(mean, Some(10));
    }

    #[test]
    fn what_was_not_used_for_long_is_forgotten_first() {
        let history = History::default();
        for kind in 0..20_000 {
            let model = if kind % 100 == 0 {
                "used"
            } else {
                &kind.to_string()
            };
            (0..8).for_each(|_| history.learn("t", model, 1, 10));
            assert_ne!(usual(&history, "t", "used", 1), None);
            assert!(history.entries.lock().lengths.len() <= MOST);
        }
        assert_eq!(usual(&history, "t", "19999", 1), Some(10));
        assert_eq!(usual(&history, "t", "1", 1), None);
    }

    #[test]
    fn lengths_that_no_answer_has_do_no_harm() {
        let history = History::default();
        (0..20).for_each(|_| history.learn("", "", u32::MAX, u32::MAX));
        let most = usual(&history, "", "", u32::MAX);
        assert_eq!(most, Some(u32::MAX.div_ceil(10)));
        (0..20).for_each(|_| history.learn("", "", 0, 0));
        assert_eq!(usual(&history, "", "", 0), Some(0));
    }
}
