//! What a TGI says of itself at `/info`.

use serde::{Deserialize, Serialize};

/// What it serves, and its limits; nothing where it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Limits {
    /// The model.
    pub model_id: Option<String>,
    /// Requests at a time; it refuses one more.
    pub max_concurrent_requests: Option<u32>,
    /// Longest prompt, tokens.
    pub max_input_tokens: Option<u32>,
    /// Longest prompt and answer together, tokens.
    pub max_total_tokens: Option<u32>,
}

impl Limits {
    /// Reads an answer; one that makes no sense says nothing.
    pub(super) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_found_among_what_else_is_said() {
        let body = br#"{"model_id": "m", "model_sha": null, "max_concurrent_requests": 128,
            "max_input_tokens": 4095, "max_total_tokens": 4096, "router": "x"}"#;
        let limits = Limits {
            model_id: Some("m".to_owned()),
            max_concurrent_requests: Some(128),
            max_input_tokens: Some(4095),
            max_total_tokens: Some(4096),
        };
        assert_eq!(Limits::read(body), limits);
    }

    #[test]
    fn what_makes_no_sense_says_nothing() {
        for body in [&b""[..], b"[]", b"{\"max_total_tokens\": -1}", b"\xff"] {
            assert_eq!(Limits::read(body), Limits::default());
        }
    }
}
