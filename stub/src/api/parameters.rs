//! `parameters` of a generating request, and TGI's rules for them.

use serde::Deserialize;
use serde_json::Value;

use super::error::ApiError;
use crate::batch::ROUND_TOKENS;
use crate::options::Limits;
use crate::script::StopRule;
use crate::tokens;

/// As they come in. Fields that the stub has no use for are left out: unknown
/// fields are ignored by the original as well.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    pub(super) best_of: Option<usize>,
    pub(super) temperature: Option<f32>,
    pub(super) repetition_penalty: Option<f32>,
    pub(super) frequency_penalty: Option<f32>,
    pub(super) top_k: Option<i32>,
    pub(super) top_p: Option<f32>,
    pub(super) typical_p: Option<f32>,
    pub(super) do_sample: bool,
    pub(super) max_new_tokens: Option<u32>,
    pub(super) return_full_text: Option<bool>,
    pub(super) stop: Vec<String>,
    /// Not in the body: it follows from the dialect.
    #[serde(skip)]
    pub(super) stop_rule: StopRule,
    pub(super) truncate: Option<u32>,
    pub(super) details: bool,
    pub(super) decoder_input_details: bool,
    pub(super) seed: Option<u64>,
    pub(super) top_n_tokens: Option<u32>,
    pub(super) grammar: Option<Grammar>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Grammar {
    r#type: GrammarKind,
    value: Value,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GrammarKind {
    #[serde(alias = "json_object")]
    Json,
    Regex,
    JsonSchema,
}

/// What a valid request may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Tokens of the prompt.
    pub(super) input: u32,
    /// Tokens that the answer may have.
    pub(super) max_new: u32,
}

impl Parameters {
    /// What the original assumes when the whole object is absent.
    pub(super) fn absent() -> Self {
        Self {
            do_sample: true,
            ..Self::default()
        }
    }

    /// Tokens are drawn rather than the likeliest taken.
    pub(super) fn samples(&self) -> bool {
        self.do_sample
            || self.temperature.is_some()
            || self.top_k.is_some()
            || self.top_p.is_some()
            || self.typical_p.is_some()
    }

    /// What is checked before a slot is taken.
    pub(super) fn check_shape(&self, streams: bool, limits: &Limits) -> Result<(), ApiError> {
        let best_of = self.best_of.unwrap_or(1);
        refuse(streams && best_of != 1, || {
            "`best_of` != 1 is not supported when streaming tokens".into()
        })?;
        refuse(streams && self.decoder_input_details, || {
            "`decoder_input_details` == true is not supported when streaming tokens".into()
        })?;
        refuse(best_of > limits.max_best_of, || {
            format!(
                "`best_of` must be > 0 and <= {}. Given: {best_of}",
                limits.max_best_of
            )
        })
    }

    /// TGI's rules, in TGI's order.
    pub(super) fn check(
        &self,
        prompt: &str,
        forced_input: Option<u32>,
        limits: &Limits,
    ) -> Result<Room, ApiError> {
        self.check_sampling()?;
        self.check_counts(limits)?;
        refuse(prompt.is_empty(), || "`inputs` cannot be empty".into())?;
        if let Some(truncate) = self.truncate {
            refuse(truncate == 0 || truncate > limits.max_input_tokens, || {
                let most = limits.max_input_tokens;
                format!(
                    "`truncate` must be strictly positive and less than {most}. Given: {truncate}"
                )
            })?;
        }
        let input = forced_input.unwrap_or_else(|| tokens::count(prompt));
        let room = self.room(input.min(self.truncate.unwrap_or(u32::MAX)), limits)?;
        self.check_grammar()?;
        Ok(room)
    }

    fn check_sampling(&self) -> Result<(), ApiError> {
        let outside = |share: Option<f32>| share.is_some_and(|share| share <= 0.0 || share >= 1.0);
        refuse(self.best_of > Some(1) && !self.samples(), || {
            "you must use sampling when `best_of` is > 1".into()
        })?;
        refuse(self.temperature.is_some_and(|value| value <= 0.0), || {
            "`temperature` must be strictly positive".into()
        })?;
        refuse(
            self.repetition_penalty.is_some_and(|value| value <= 0.0),
            || "`repetition_penalty` must be strictly positive".into(),
        )?;
        refuse(
            self.frequency_penalty
                .is_some_and(|value| !(-2.0..=2.0).contains(&value)),
            || "`frequency_penalty` must be >= -2.0 and <= 2.0".into(),
        )?;
        refuse(outside(self.top_p), || {
            "`top_p` must be > 0.0 and < 1.0".into()
        })?;
        refuse(outside(self.typical_p), || {
            "`typical_p` must be > 0.0 and < 1.0".into()
        })?;
        refuse(self.top_k.is_some_and(|value| value <= 0), || {
            "`top_k` must be strictly positive".into()
        })
    }

    fn check_counts(&self, limits: &Limits) -> Result<(), ApiError> {
        refuse(self.max_new_tokens == Some(0), || {
            "`max_new_tokens` must be strictly positive".into()
        })?;
        refuse(self.stop.len() > limits.max_stop_sequences, || {
            let (most, given) = (limits.max_stop_sequences, self.stop.len());
            format!("`stop` supports up to {most} stop sequences. Given: {given}")
        })?;
        refuse(self.seed.is_some() && self.best_of > Some(1), || {
            "`seed` must not be set when `best_of` > 1".into()
        })?;
        let top_n = self.top_n_tokens.unwrap_or(0);
        refuse(top_n > limits.max_top_n_tokens, || {
            format!(
                "`top_n_tokens` must be >= 0 and <= {}. Given: {top_n}",
                limits.max_top_n_tokens
            )
        })
    }

    /// A cap beyond the model's room is accepted if one round fits, and cut.
    fn room(&self, input: u32, limits: &Limits) -> Result<Room, ApiError> {
        let total = limits.max_total_tokens;
        let left = total.saturating_sub(input);
        let max_new = self.max_new_tokens.unwrap_or(left);
        refuse(input > total || max_new.min(ROUND_TOKENS) > left, || {
            format!(
                "`inputs` tokens + `max_new_tokens` must be <= {total}. Given: {input} `inputs` tokens and {max_new} `max_new_tokens`"
            )
        })?;
        refuse(input > limits.max_input_tokens, || {
            format!(
                "`inputs` must have less than {} tokens. Given: {input}",
                limits.max_input_tokens
            )
        })?;
        Ok(Room {
            input,
            max_new: max_new.min(left),
        })
    }

    fn check_grammar(&self) -> Result<(), ApiError> {
        let Some(Grammar { r#type, value }) = &self.grammar else {
            return Ok(());
        };
        let schema = match (r#type, value) {
            (GrammarKind::Regex, _) => return Ok(()),
            (GrammarKind::Json, Value::String(text)) => serde_json::from_str(text)
                .map_err(|error| ApiError::Validation(format!("grammar is not valid: {error}")))?,
            (GrammarKind::Json, schema) => schema.clone(),
            (GrammarKind::JsonSchema, config) => config["schema"].clone(),
        };
        refuse(!schema.is_object(), || "grammar is not supported".into())?;
        refuse(schema.get("properties").is_none(), || {
            "grammar is not valid: Grammar must have a 'properties' field".into()
        })
    }
}

fn refuse(wrong: bool, reason: impl FnOnce() -> String) -> Result<(), ApiError> {
    if wrong {
        Err(ApiError::Validation(reason()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    fn judge(parameters: Value, prompt: &str) -> Result<Room, String> {
        let limits = Limits::for_card(&Profile::Fast12.timing());
        let parameters: Parameters = serde_json::from_value(parameters).unwrap();
        parameters
            .check(prompt, None, &limits)
            .map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refused(parameters: Value, expected: &str) {
        let error = judge(parameters, "hello").unwrap_err();
        assert_eq!(error, format!("Input validation error: {expected}"));
    }

    #[test]
    fn refuses_what_the_original_refuses_in_its_words() {
        use serde_json::json;
        refused(
            json!({"temperature": 0}),
            "`temperature` must be strictly positive",
        );
        refused(json!({"top_p": 1.0}), "`top_p` must be > 0.0 and < 1.0");
        refused(
            json!({"typical_p": 0}),
            "`typical_p` must be > 0.0 and < 1.0",
        );
        refused(json!({"top_k": 0}), "`top_k` must be strictly positive");
        refused(
            json!({"frequency_penalty": 2.5}),
            "`frequency_penalty` must be >= -2.0 and <= 2.0",
        );
        refused(
            json!({"max_new_tokens": 0}),
            "`max_new_tokens` must be strictly positive",
        );
        refused(
            json!({"stop": ["a", "b", "c", "d", "e"]}),
            "`stop` supports up to 4 stop sequences. Given: 5",
        );
        refused(
            json!({"top_n_tokens": 6}),
            "`top_n_tokens` must be >= 0 and <= 5. Given: 6",
        );
        refused(
            json!({"truncate": 0}),
            "`truncate` must be strictly positive and less than 8191. Given: 0",
        );
        refused(
            json!({"best_of": 2}),
            "you must use sampling when `best_of` is > 1",
        );
        refused(
            json!({"grammar": {"type": "json", "value": {}}}),
            "grammar is not valid: Grammar must have a 'properties' field",
        );
        assert_eq!(
            judge(json!({}), "").unwrap_err(),
            "Input validation error: `inputs` cannot be empty"
        );
    }

    #[test]
    fn a_cap_beyond_the_room_is_cut_if_one_round_fits() {
        let room = judge(serde_json::json!({"max_new_tokens": 1_000_000}), "hello");
        assert_eq!(
            room,
            Ok(Room {
                input: 2,
                max_new: 8_190
            })
        );
    }

    #[test]
    fn a_prompt_that_leaves_no_room_for_its_cap_is_refused() {
        let error = judge(
            serde_json::json!({"max_new_tokens": 200}),
            &"abcd".repeat(8_100),
        )
        .unwrap_err();
        assert!(
            error.contains("must be <= 8192. Given: 8100 `inputs` tokens and 200 `max_new_tokens`"),
            "{error}"
        );
        let error = judge(serde_json::json!({}), &"abcd".repeat(9_000)).unwrap_err();
        assert!(
            error.contains("must be <= 8192. Given: 9000 `inputs` tokens and 0 `max_new_tokens`"),
            "{error}"
        );
    }
}
