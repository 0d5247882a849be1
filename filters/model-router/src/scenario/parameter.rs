//! The generation parameters of text-generation-inference, by which the gateway
//! calls them whatever the API.

use headworks_sdk::prelude::*;

use crate::words::suggest;

const NAMES: [&str; 19] = [
    "adapter_id",
    "best_of",
    "decoder_input_details",
    "details",
    "do_sample",
    "frequency_penalty",
    "grammar",
    "max_new_tokens",
    "repetition_penalty",
    "return_full_text",
    "seed",
    "stop",
    "temperature",
    "top_k",
    "top_n_tokens",
    "top_p",
    "truncate",
    "typical_p",
    "watermark",
];

/// Whether there is such a parameter, and could have such a value. What else a
/// value must be is for the upstream to say.
pub(crate) fn check(name: &str, value: &Value) -> Result<(), String> {
    if !NAMES.contains(&name) {
        return Err(format!(
            "no parameter `{name}`{}",
            suggest(name, NAMES.into_iter())
        ));
    }
    let is_count = value
        .as_u64()
        .is_some_and(|count| u32::try_from(count).is_ok());
    if name == "max_new_tokens" && !is_count {
        return Err(format!("must be a number of tokens, got {value}"));
    }
    Ok(())
}
