//! What prompt and answer may use of the model's context.

use super::super::error::ApiError;
use super::super::parameters::{Parameters, Room};
use super::error::refuse;
use crate::options::Limits;
use crate::tokens;

/// vLLM's rules: the prompt leaves room for a token, and the cap fits beside it.
pub(in crate::api) fn room(
    parameters: &Parameters,
    prompt: &str,
    forced_input: Option<u32>,
    limits: &Limits,
) -> Result<Room, ApiError> {
    let input = forced_input.unwrap_or_else(|| tokens::count(prompt));
    let input = input.min(parameters.truncate.unwrap_or(u32::MAX));
    let total = limits.max_total_tokens;
    refuse(input >= total, Some("input_tokens"), || {
        format!(
            "This model's maximum context length is {total} tokens. However, your request has {input} input tokens. Please reduce the length of the input messages. (parameter=input_tokens, value={input})"
        )
    })?;
    let left = total - input;
    let max_new = parameters.max_new_tokens.unwrap_or(left);
    refuse(max_new > left, Some("max_tokens"), || {
        format!(
            "'max_tokens' or 'max_completion_tokens' is too large: {max_new}. This model's maximum context length is {total} tokens and your request has {input} input tokens ({max_new} > {total} - {input}). (parameter=max_tokens, value={max_new})"
        )
    })?;
    Ok(Room { input, max_new })
}
