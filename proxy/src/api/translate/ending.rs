//! Ends a stream before its upstream does, so that the caller takes it for
//! whole: in the caller's dialect, with the reason `length`.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Facts;
use super::completion::{details, token};
use super::event::{DONE, Event, Kind};
use super::json::{Object, inside, string};
use crate::api::Call;
use crate::api::route::Dialect;
use crate::api::usage::Usage;

/// Texts whose end is told: OpenAI's own `n` goes no further, and a stranger's
/// number is not to make an answer of any length.
const MOST_CHOICES: u32 = 128;

/// What the end of a stream has to repeat of what was told before.
#[derive(Debug)]
pub struct Ending {
    dialect: Dialect,
    /// TGI's count of events.
    events: u32,
    /// TGI's text so far: the inside of a JSON string.
    text: String,
    /// OpenAI's last chunk, which all others look like.
    chunk: Vec<u8>,
    /// Texts that the upstream ended itself, and how many there are.
    ended: u32,
    choices: u32,
}

/// An event of TGI.
#[derive(Deserialize)]
struct TgiEvent<'a> {
    #[serde(borrow)]
    token: TgiToken<'a>,
    /// Only the last has it.
    generated_text: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct TgiToken<'a> {
    #[serde(borrow)]
    text: &'a RawValue,
    #[serde(default)]
    special: bool,
}

impl Ending {
    /// For a caller of this dialect who asked for so many texts.
    pub fn new(dialect: Dialect, choices: u32) -> Self {
        Self {
            dialect,
            events: 0,
            text: String::new(),
            chunk: Vec::new(),
            ended: 0,
            choices: choices.min(MOST_CHOICES),
        }
    }

    /// Notes what the caller is told, given an event's data.
    pub fn told(&mut self, data: &[u8]) {
        match self.dialect {
            Dialect::Tgi => self.told_tgi(data),
            Dialect::OpenAi if data != DONE => {
                self.ended += u32::from(has_finished(data));
                self.chunk.clear();
                self.chunk.extend_from_slice(data);
            }
            Dialect::OpenAi => {}
        }
    }

    /// Whether the upstream has ended all texts itself.
    pub fn is_over(&self) -> bool {
        self.ended >= self.choices
    }

    fn told_tgi(&mut self, data: &[u8]) {
        let Ok(event) = serde_json::from_slice::<TgiEvent<'_>>(data) else {
            return;
        };
        self.events = self.events.saturating_add(1);
        self.ended += u32::from(event.generated_text.is_some());
        if !event.token.special {
            self.text
                .push_str(inside(event.token.text).unwrap_or_default());
        }
    }

    /// The events that end the stream.
    pub fn end(&mut self, call: &Call, usage: Usage) -> Vec<u8> {
        let mut out = Vec::new();
        match self.dialect {
            Dialect::Tgi => event(self.last_of_tgi(call, usage)).write(&mut out),
            Dialect::OpenAi => {
                for chunk in self.last_of_openai(call, usage) {
                    event(chunk).write(&mut out);
                }
                Event::as_it_came(Kind::End, DONE).write(&mut out);
            }
        }
        out
    }

    /// TGI's last event has a token of its own that shows nothing.
    fn last_of_tgi(&mut self, call: &Call, usage: Usage) -> String {
        let facts = Facts::told_by_tgi(call);
        let details = facts.details.then(|| {
            details(Some("length"), usage.completion_tokens, &facts)
                .with("input_length", &usage.prompt_tokens.to_string())
                .end()
        });
        self.events = self.events.saturating_add(1);
        Object::new()
            .with("index", &self.events.to_string())
            .with("token", &token("", 0.0, true))
            .with("generated_text", &string(&[&facts.full_text, &self.text]))
            .with("details", &details.unwrap_or_else(|| "null".to_owned()))
            .end()
    }

    /// A chunk that says why, and one with the usage if it was asked for.
    fn last_of_openai(&self, call: &Call, usage: Usage) -> Vec<String> {
        let Ok(Value::Object(mut chunk)) = serde_json::from_slice(&self.chunk) else {
            return Vec::new();
        };
        let wants_usage = call.json("/stream_options/include_usage").as_deref() == Some("true");
        let is_chat = chunk.get("object").and_then(Value::as_str) != Some("text_completion");
        let choice = |index| {
            if is_chat {
                json!({"index": index, "delta": {}, "logprobs": null, "finish_reason": "length"})
            } else {
                json!({"index": index, "text": "", "logprobs": null, "finish_reason": "length"})
            }
        };
        if wants_usage || chunk.contains_key("usage") {
            chunk.insert("usage".to_owned(), Value::Null);
        }
        chunk.insert(
            "choices".to_owned(),
            (0..self.choices).map(choice).collect(),
        );
        let mut last = vec![Value::Object(chunk.clone()).to_string()];
        if wants_usage {
            chunk.insert("choices".to_owned(), json!([]));
            chunk.insert("usage".to_owned(), json!(usage));
            last.push(Value::Object(chunk).to_string());
        }
        last
    }
}

/// Whether a chunk says why its text ended.
fn has_finished(chunk: &[u8]) -> bool {
    const REASON: &[u8] = b"\"finish_reason\":";
    let Some(at) = memchr::memmem::find(chunk, REASON) else {
        return false;
    };
    let reason = chunk[at + REASON.len()..].trim_ascii_start();
    reason.starts_with(b"\"")
}

fn event(data: String) -> Event<'static> {
    Event::new(Kind::Other, data)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::api::Api;

    const USAGE: Usage = Usage {
        prompt_tokens: 7,
        completion_tokens: 2,
    };

    fn ended(api: Api, body: &str, told: &[&str]) -> String {
        let call = Call::read(api, Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let mut ending = Ending::new(api.dialect(), call.choices());
        for data in told {
            ending.told(data.as_bytes());
        }
        String::from_utf8(ending.end(&call, USAGE)).unwrap()
    }

    const TOKENS: [&str; 2] = [
        r#"{"index":1,"token":{"id":5,"text":"n\u00e9","logprob":-0.1,"special":false},"generated_text":null,"details":null}"#,
        r#"{"index":2,"token":{"id":6,"text":" \"x\"","logprob":-0.1,"special":false},"generated_text":null,"details":null}"#,
    ];

    #[test]
    fn tgis_last_event_repeats_the_text() {
        assert_eq!(
            ended(Api::TgiGenerateStream, r#"{"inputs":"x"}"#, &TOKENS),
            concat!(
                r#"data: {"index":3,"token":{"id":0,"text":"","logprob":0.0,"special":true},"#,
                r#""generated_text":"n\u00e9 \"x\"","details":null}"#,
                "\n\n"
            )
        );
        let body = r#"{"inputs":"x","parameters":{"details":true,"return_full_text":true}}"#;
        let told = ended(Api::TgiGenerateStream, body, &TOKENS);
        assert!(
            told.contains(r#""generated_text":"xn\u00e9 \"x\"""#),
            "{told}"
        );
        assert!(
            told.contains(r#""details":{"finish_reason":"length","generated_tokens":2"#),
            "{told}"
        );
        assert!(told.contains(r#""input_length":7"#), "{told}");
    }

    #[test]
    fn what_its_upstream_ended_is_over() {
        let mut ending = Ending::new(Dialect::Tgi, 1);
        ending.told(TOKENS[0].as_bytes());
        assert!(!ending.is_over());
        ending
            .told(br#"{"index":2,"token":{"id":2,"text":"","special":true},"generated_text":"x"}"#);
        assert!(ending.is_over());
        let mut ending = Ending::new(Dialect::OpenAi, 2);
        for (chunk, is_over) in [
            (r#"{"choices":[{"index":0,"finish_reason":null}]}"#, false),
            (r#"{"choices":[{"index":0,"finish_reason":"stop"}]}"#, false),
            (
                r#"{"choices":[{"index":1,"finish_reason": "length"}]}"#,
                true,
            ),
        ] {
            ending.told(chunk.as_bytes());
            assert_eq!(ending.is_over(), is_over, "{chunk}");
        }
    }

    #[test]
    fn openais_last_chunk_says_why_and_what_it_cost() {
        let chunk = r#"{"id":"c-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#;
        let body =
            r#"{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#;
        let told = ended(Api::OpenAiChat, body, &[chunk]);
        let events: Vec<&str> = told.split("\n\n").collect();
        let read = |event: &str| -> Value {
            serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap()
        };
        let why = read(events[0]);
        assert_eq!(why["choices"][0]["finish_reason"], "length");
        assert_eq!((&why["id"], &why["usage"]), (&json!("c-1"), &Value::Null));
        let cost = read(events[1]);
        assert_eq!(cost["choices"], json!([]));
        assert_eq!(cost["usage"]["total_tokens"], 9);
        assert_eq!(events[2..], ["data: [DONE]", ""]);
    }

    #[test]
    fn each_choice_of_a_completion_ends() {
        let chunk = r#"{"id":"c-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"a","finish_reason":null}]}"#;
        let body = r#"{"model":"m","prompt":"x","stream":true,"n":2}"#;
        let told = ended(Api::OpenAiCompletions, body, &[chunk]);
        assert_eq!(told.matches(r#""finish_reason":"length""#).count(), 2);
        assert!(!told.contains("usage"), "{told}");
        let body = r#"{"model":"m","prompt":"x","stream":true,"n":4000000000}"#;
        let told = ended(Api::OpenAiCompletions, body, &[chunk]);
        assert_eq!(told.matches(r#""finish_reason":"length""#).count(), 128);
    }
}
