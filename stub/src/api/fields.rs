//! Fields that answers of several routes have.

use std::time::SystemTime;

use serde_json::{Value, json};

/// The name in the answer: what was asked for, unless that was nobody in particular.
pub(super) fn shown_model<'a>(asked: Option<&'a str>, own: &'a str) -> &'a str {
    asked.filter(|asked| *asked != "tgi").unwrap_or(own)
}

/// The `usage` object.
pub(super) fn usage(prompt_tokens: u32, completion_tokens: u32) -> Value {
    json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    })
}

/// Seconds since 1970, as OpenAI's `created`.
pub(super) fn unix_seconds() -> u64 {
    // A clock before 1970 is shown as 1970.
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
