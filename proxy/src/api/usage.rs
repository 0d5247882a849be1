//! Token counts, as the upstream says in headers or body.

use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize, Serializer};

/// By which TGI tells how many tokens the prompt of a whole answer had.
pub const PROMPT_TOKENS: HeaderName = HeaderName::from_static("x-prompt-tokens");
/// By which TGI tells how many tokens a whole answer has.
pub const GENERATED_TOKENS: HeaderName = HeaderName::from_static("x-generated-tokens");

/// What an exchange cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens generated.
    #[serde(default)]
    pub completion_tokens: u32,
}

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": u64::from(self.prompt_tokens) + u64::from(self.completion_tokens),
        })
        .serialize(serializer)
    }
}

impl Usage {
    /// From TGI's headers on whole answers.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let count = |name: HeaderName| headers.get(name)?.to_str().ok()?.trim().parse().ok();
        Some(Self {
            prompt_tokens: count(PROMPT_TOKENS)?,
            completion_tokens: count(GENERATED_TOKENS)?,
        })
    }

    /// From the `usage` of a whole OpenAI answer.
    pub fn from_body(body: &[u8]) -> Option<Self> {
        serde_json::from_slice::<WithUsage>(body).ok()?.usage
    }
}

#[derive(Deserialize)]
struct WithUsage {
    usage: Option<Usage>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_answers_tell_by_header_or_body() {
        let mut headers = HeaderMap::new();
        headers.insert("x-prompt-tokens", "12".parse().unwrap());
        assert_eq!(Usage::from_headers(&headers), None);
        headers.insert("x-generated-tokens", "3".parse().unwrap());
        assert_eq!(
            Usage::from_headers(&headers),
            Some(Usage {
                prompt_tokens: 12,
                completion_tokens: 3
            })
        );
        let body = br#"{"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
        assert_eq!(
            Usage::from_body(body),
            Some(Usage {
                prompt_tokens: 1,
                completion_tokens: 2
            })
        );
    }
}
