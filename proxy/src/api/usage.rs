//! Token counts: as the upstream says in headers, body or stream, else as the
//! stream's events show.

use http::HeaderMap;
use serde::{Deserialize, Serialize, Serializer};

use super::route::Dialect;
use super::sse::Splitter;

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
        let count = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
        Some(Self {
            prompt_tokens: count("x-prompt-tokens")?,
            completion_tokens: count("x-generated-tokens")?,
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

/// Watches a stream go by: counts its tokens and sees how it ends.
#[derive(Debug)]
pub struct Meter {
    dialect: Dialect,
    splitter: Splitter,
    tokens: u32,
    usage: Option<Usage>,
    failed: bool,
}

impl Meter {
    /// A meter for a stream of this dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            splitter: Splitter::default(),
            tokens: 0,
            usage: None,
            failed: false,
        }
    }

    /// Reads the next bytes of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        let Self {
            dialect,
            splitter,
            tokens,
            usage,
            failed,
        } = self;
        splitter.feed(chunk, |data| match Seen::of(*dialect, data) {
            Seen::Token => *tokens += 1,
            Seen::Usage(told) => *usage = Some(told),
            Seen::Error => *failed = true,
            Seen::Nothing => {}
        });
    }

    /// Tokens generated so far.
    pub fn tokens(&self) -> u32 {
        self.usage
            .map_or(self.tokens, |usage| usage.completion_tokens)
    }

    /// Prompt tokens, if the stream told.
    pub fn prompt_tokens(&self) -> Option<u32> {
        self.usage.map(|usage| usage.prompt_tokens)
    }

    /// Whether an error event came by.
    pub fn failed(&self) -> bool {
        self.failed
    }
}

/// What one event says.
enum Seen {
    Token,
    Usage(Usage),
    Error,
    Nothing,
}

impl Seen {
    fn of(dialect: Dialect, data: &[u8]) -> Self {
        if data.starts_with(b"{\"error\"") {
            return Self::Error;
        }
        match dialect {
            Dialect::Tgi => Self::Token,
            Dialect::OpenAi if data == b"[DONE]" => Self::Nothing,
            // A finish without usage says `"usage":null`; only an object is worth decoding.
            Dialect::OpenAi if memchr::memmem::find(data, b"\"usage\":{").is_some() => {
                Usage::from_body(data).map_or(Self::Nothing, Self::Usage)
            }
            Dialect::OpenAi => Self::Token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tgi_tokens_are_counted_by_their_events() {
        let mut meter = Meter::new(Dialect::Tgi);
        meter.feed(b"data:{\"index\":1}\n\ndata: {\"ind");
        meter.feed(b"ex\":2}\n\n: keep-alive\n\n");
        assert_eq!((meter.tokens(), meter.failed()), (2, false));
        meter.feed(b"data: {\"error\":\"x\",\"error_type\":\"generation\"}\n\n");
        assert_eq!((meter.tokens(), meter.failed()), (2, true));
    }

    #[test]
    fn a_usage_block_outweighs_the_count() {
        let mut meter = Meter::new(Dialect::OpenAi);
        meter.feed(b"data: {\"choices\":[{}],\"usage\":null}\n\n");
        assert_eq!((meter.tokens(), meter.prompt_tokens()), (1, None));
        meter.feed(b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9,\"total_tokens\":16}}\n\n");
        meter.feed(b"data: [DONE]\n\n");
        assert_eq!((meter.tokens(), meter.prompt_tokens()), (9, Some(7)));
    }

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
