//! What the model says: words that follow from prompt and seed alone, after the
//! model's name. The same script serves streamed and whole answers.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, LogNormal};
use serde::Serialize;

/// Every token after the first is one of these; none needs escaping in JSON.
#[rustfmt::skip]
const WORDS: [&str; 48] = [
    " the", " river", " and", " a", " cloud", " that", " keeps", " its", " own", " time", " over",
    " café", " small", " engines", " turn", " in", " Zürich", " while", " light", " falls", " on",
    " paper", " boats", " 東京", " again", " under", " quiet", " bridges", " naïve", " machines",
    " count", " words", " of", " winter", " über", " grey", " roofs", ",", " then", " señor",
    " waits", " for", " nobody", " 🙂", " with", " copper", " bells", ".",
];
/// Ids below are taken by `</s>` and the model's name.
const FIRST_WORD_ID: u32 = 100;
const NAME_ID: u32 = 1;
const END_ID: u32 = 2;

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FinishReason {
    /// The cap was reached.
    Length,
    /// The model had said everything.
    EosToken,
    /// One of the asked stop sequences came up.
    StopSequence,
}

impl FinishReason {
    /// As `/generate` writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::EosToken => "eos_token",
            Self::StopSequence => "stop_sequence",
        }
    }

    /// As the OpenAI routes write it.
    pub(crate) fn as_openai(self) -> &'static str {
        match self {
            Self::EosToken => "stop",
            other => other.as_str(),
        }
    }
}

/// What ends an answer early.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// Any of these.
    pub sequences: Vec<String>,
    /// How they are looked for.
    pub rule: StopRule,
}

/// Where a stop sequence ends an answer, and whether it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum StopRule {
    /// Only at the end of a token; told. TGI's.
    #[default]
    AtTokenEnd,
    /// Anywhere; not told, nor what follows it in its token. vLLM's.
    Cut,
    /// Anywhere; told. vLLM's `include_stop_str_in_output`.
    Keep,
}

/// The model's name as the first token shows it, plain and escaped for JSON.
#[derive(Debug)]
pub(crate) struct ModelName {
    shown: String,
    escaped: String,
}

impl ModelName {
    /// The name in brackets.
    pub(crate) fn new(model_id: &str) -> Self {
        let shown = format!("[{model_id}]");
        let quoted = serde_json::Value::from(shown.as_str()).to_string();
        Self {
            shown,
            escaped: quoted[1..quoted.len() - 1].to_owned(),
        }
    }
}

/// One token of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    /// Stands for the text.
    pub id: u32,
    /// What it adds to the answer: the end token nothing, one that stops it maybe a part.
    pub text: &'a str,
    /// The whole token as it stands inside a JSON string.
    pub escaped: &'a str,
    /// The negative log probability, in thousandths.
    pub surprise: u32,
    /// The end token.
    pub special: bool,
}

/// The seed that prompt and request give to lengths and words.
pub(crate) fn seed_of(prompt: &str, seed: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    prompt.hash(&mut hasher);
    seed ^ hasher.finish()
}

/// How many tokens the model would say if nobody capped it: median 110, log-normal.
pub(crate) fn natural_length(seed: u64) -> u32 {
    // Drawn from a generator of its own: a forced length leaves the words as they are.
    let mut random = SmallRng::seed_from_u64(seed.rotate_left(32));
    let lengths = LogNormal::new(110_f64.ln(), 0.8).expect("a constant, finite deviation");
    lengths.sample(&mut random).round().max(1.0) as u32
}

/// Tells an answer token by token.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    name: Arc<ModelName>,
    random: SmallRng,
    said: u32,
    length: u32,
    finish: FinishReason,
    /// Bytes that the answer may still have; the last token may be cut.
    left: usize,
    stopped: Option<String>,
}

impl Script {
    /// An answer of `length` tokens, `max_new` at most, that ends early where a
    /// stop sequence comes up.
    pub(crate) fn new(
        name: Arc<ModelName>,
        seed: u64,
        length: u32,
        max_new: u32,
        stop: &Stop,
    ) -> Self {
        let finish = if length < max_new {
            FinishReason::EosToken
        } else {
            FinishReason::Length
        };
        let random = SmallRng::seed_from_u64(seed);
        let mut script = Self {
            name,
            random,
            said: 0,
            length: length.min(max_new),
            finish,
            left: usize::MAX,
            stopped: None,
        };
        if let Some(found) = script.clone().find(stop) {
            script.length = found.tokens;
            script.left = found.bytes;
            script.stopped = Some(found.sequence);
            script.finish = FinishReason::StopSequence;
        }
        script
    }

    /// Tokens of the whole answer, the end token included.
    pub(crate) fn length(&self) -> u32 {
        self.length
    }

    /// Tokens told so far.
    pub(crate) fn said(&self) -> u32 {
        self.said
    }

    /// Why it ends.
    pub(crate) fn finish(&self) -> FinishReason {
        self.finish
    }

    /// The stop sequence that ended it.
    pub(crate) fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// The last token was told.
    pub(crate) fn is_over(&self) -> bool {
        self.said == self.length
    }

    /// Tells the next token.
    pub(crate) fn say(&mut self) -> Token<'_> {
        let word = self.random.random_range(0..WORDS.len());
        let surprise = self.random.random_range(1..3_000);
        self.said += 1;
        let (id, text, escaped) =
            if self.said == self.length && self.finish == FinishReason::EosToken {
                (END_ID, "", "</s>")
            } else if self.said == 1 {
                (
                    NAME_ID,
                    self.name.shown.as_str(),
                    self.name.escaped.as_str(),
                )
            } else {
                (FIRST_WORD_ID + word as u32, WORDS[word], WORDS[word])
            };
        let text = &text[..text.len().min(self.left)];
        self.left -= text.len();
        Token {
            id,
            text,
            escaped,
            surprise,
            special: id == END_ID,
        }
    }

    fn find(mut self, stop: &Stop) -> Option<Found> {
        let mut text = String::new();
        while !stop.sequences.is_empty() && !self.is_over() {
            text.push_str(self.say().text);
            if let Some((sequence, bytes)) = stop.found_in(&text) {
                return Some(Found {
                    tokens: self.said,
                    bytes,
                    sequence: sequence.to_owned(),
                });
            }
        }
        None
    }
}

/// Where an answer stops.
struct Found {
    tokens: u32,
    /// Bytes of the text that is told.
    bytes: usize,
    sequence: String,
}

impl Stop {
    /// The sequence that ends this text, and how much of the text is told.
    fn found_in(&self, text: &str) -> Option<(&str, usize)> {
        let mut sequences = self.sequences.iter().map(String::as_str);
        sequences.find_map(|sequence| {
            let told = match self.rule {
                StopRule::AtTokenEnd => text.ends_with(sequence).then_some(text.len()),
                StopRule::Cut => text.find(sequence),
                StopRule::Keep => text.find(sequence).map(|start| start + sequence.len()),
            };
            told.map(|told| (sequence, told))
        })
    }
}

/// Other tokens that the model might have said in `token`'s place, best first.
pub(crate) fn alternatives(token: Token<'_>, count: u32) -> impl Iterator<Item = Token<'_>> {
    std::iter::once(token)
        .chain((1..).map(move |rank| {
            let word = (token.id + rank) as usize % WORDS.len();
            Token {
                id: FIRST_WORD_ID + word as u32,
                text: WORDS[word],
                escaped: WORDS[word],
                surprise: token.surprise + 500 * rank,
                special: false,
            }
        }))
        .take(count as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(prompt: &str, seed: u64, stop: &[&str]) -> Script {
        script_by(StopRule::AtTokenEnd, prompt, seed, stop)
    }

    fn script_by(rule: StopRule, prompt: &str, seed: u64, stop: &[&str]) -> Script {
        let stop = Stop {
            sequences: stop.iter().map(ToString::to_string).collect(),
            rule,
        };
        Script::new(
            Arc::new(ModelName::new("qwen\"2")),
            seed_of(prompt, seed),
            40,
            50,
            &stop,
        )
    }

    fn told(mut script: Script) -> String {
        let mut text = String::new();
        while !script.is_over() {
            text.push_str(script.say().text);
        }
        text
    }

    #[test]
    fn the_same_prompt_and_seed_give_the_same_words() {
        assert_eq!(told(script("hi", 7, &[])), told(script("hi", 7, &[])));
        assert_ne!(told(script("hi", 7, &[])), told(script("hi", 8, &[])));
        assert_ne!(told(script("hi", 7, &[])), told(script("ho", 7, &[])));
    }

    #[test]
    fn an_answer_begins_with_the_model_that_gave_it() {
        assert!(told(script("hi", 7, &[])).starts_with("[qwen\"2] "));
        assert_eq!(script("hi", 7, &[]).say().escaped, "[qwen\\\"2]");
    }

    #[test]
    fn a_stop_sequence_ends_the_answer_where_it_first_comes_up() {
        let text = told(script("hi", 7, &[]));
        let word = text.split(' ').nth(5).unwrap();
        let stopped = script("hi", 7, &[word]);
        assert_eq!(stopped.finish(), FinishReason::StopSequence);
        let shorter = told(stopped);
        assert!(text.starts_with(&shorter) && shorter.ends_with(word));
    }

    #[test]
    fn a_stop_sequence_may_be_cut_off_or_end_inside_a_token() {
        let text = told(script("hi", 7, &[]));
        let (start, word) = text.match_indices(' ').nth(5).unwrap();
        let part = &text[start..=start + word.len()];
        let at = text.find(part).unwrap();
        let cut = script_by(StopRule::Cut, "hi", 7, &[part]);
        assert_eq!(cut.stopped(), Some(part));
        assert_eq!(told(cut), text[..at]);
        let kept = script_by(StopRule::Keep, "hi", 7, &[part]);
        assert_eq!(told(kept), text[..at + part.len()]);
    }

    #[test]
    fn natural_lengths_have_the_median_of_a_chat() {
        let mut lengths: Vec<_> = (0..2_001)
            .map(|seed| natural_length(seed_of("x", seed)))
            .collect();
        lengths.sort_unstable();
        assert!((100..=120).contains(&lengths[1_000]), "{}", lengths[1_000]);
    }
}
