//! A stream of one dialect told in another, event by event. Where the dialect
//! is the caller's own an event is looked at, not read, and passes as it came.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::event::{DONE, Event, Kind, is_error};
use super::facts::Cost;
use super::retold::Retold;
use super::{Facts, Pairing, Told, mend};
use crate::api::route::Dialect;
use crate::api::usage::Usage;

/// One stream on its way.
#[derive(Debug)]
pub struct Stream {
    pairing: Pairing,
    /// The caller's.
    dialect: Dialect,
    facts: Facts,
    cost: Cost,
    failed: bool,
    retold: Retold,
}

impl Stream {
    pub(super) fn new(pairing: Pairing, dialect: Dialect, facts: Facts) -> Self {
        Self {
            pairing,
            dialect,
            facts,
            cost: Cost::default(),
            failed: false,
            retold: Retold::default(),
        }
    }

    /// Tells the next event of the upstream, given its data.
    pub fn event<'a>(&mut self, data: &'a [u8]) -> Event<'a> {
        let event = match self.pairing {
            Pairing::Same => self.same(data),
            Pairing::Mended => self.mended(data),
            Pairing::Retold => self.retold.event(data, &self.facts, &mut self.cost),
        };
        match event.kind {
            Kind::Token(tokens) => self.cost.counted = self.cost.counted.saturating_add(tokens),
            Kind::Error(_) => self.failed = true,
            Kind::Other | Kind::End => {}
        }
        event
    }

    /// Tells what is left to be said when the upstream's transfer has ended.
    pub fn finish(&mut self) -> Event<'static> {
        if self.pairing != Pairing::Retold {
            return Event::unsaid(Kind::End);
        }
        let event = self.retold.end(&self.facts, &self.cost);
        self.failed |= matches!(event.kind, Kind::Error(_));
        event
    }

    /// Tokens generated so far: as the upstream told, else as was counted.
    pub fn tokens(&self) -> u32 {
        let Cost { counted, usage } = self.cost;
        usage.map_or(counted, |usage| usage.completion_tokens)
    }

    /// What the upstream told of the cost.
    pub fn usage(&self) -> Option<Usage> {
        self.cost.usage
    }

    /// Whether an error came by.
    pub fn failed(&self) -> bool {
        self.failed
    }

    fn same<'a>(&mut self, data: &'a [u8]) -> Event<'a> {
        let kind = match self.dialect {
            Dialect::Tgi if is_error(data) => Kind::Error(Told::tgi_event(data)),
            Dialect::Tgi => Kind::Token(1),
            Dialect::OpenAi if is_error(data) => Kind::Error(Told::openai_event(data)),
            Dialect::OpenAi if data == DONE => Kind::End,
            Dialect::OpenAi => self.chunk(data),
        };
        Event::as_it_came(kind, data)
    }

    fn mended<'a>(&mut self, data: &'a [u8]) -> Event<'a> {
        if is_error(data) {
            return Event::error(Told::tgi_event(data), Dialect::OpenAi);
        }
        if data == DONE && self.failed {
            // TGI sends it all the same, and it would look as if all had gone well.
            return Event::unsaid(Kind::End);
        }
        if data == DONE {
            return Event::as_it_came(Kind::End, data);
        }
        match mend::answer(data, &self.facts) {
            Some(chunk) => Event::new(self.chunk(data), chunk),
            None => Event::as_it_came(Kind::Other, data),
        }
    }

    /// What an OpenAI chunk is. Only one that has usage is worth reading: one
    /// without says `"usage":null`, or nothing.
    fn chunk(&mut self, data: &[u8]) -> Kind {
        if memchr::memmem::find(data, b"\"usage\":{").is_none() {
            // vLLM begins a chat with who speaks, before there is a token.
            let is_greeting =
                memchr::memmem::find(data, b"\"role\":\"assistant\",\"content\":\"\"");
            return is_greeting.map_or(Kind::Token(1), |_| Kind::Other);
        }
        let Ok(chunk) = serde_json::from_slice::<Chunk>(data) else {
            return Kind::Other;
        };
        self.cost.usage = chunk.usage.or(self.cost.usage);
        match chunk.choices.as_deref() {
            None | Some([]) => Kind::Other,
            Some(_) => Kind::Token(1),
        }
    }
}

#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<IgnoredAny>>,
    usage: Option<Usage>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::translate::Translation;
    use crate::api::{Api, Call};
    use crate::config::Protocol;
    use bytes::Bytes;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn stream_of(api: Api, upstream: Protocol, body: &str) -> Stream {
        let call = Call::read(api, Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let translation = Translation::new(api, upstream);
        let mut facts = translation.facts(&call, 1);
        facts.model = "ours".to_owned();
        facts.prompt_tokens = 3;
        translation.stream(facts)
    }

    fn chat_on_tgi() -> Stream {
        stream_of(Api::OpenAiChat, Protocol::Tgi, r#"{"messages":[]}"#)
    }

    fn unified_on_openai(parameters: &str) -> Stream {
        let body = format!(r#"{{"inputs":"x\u00e9","parameters":{parameters}}}"#);
        stream_of(Api::Unified, Protocol::OpenAi, &body)
    }

    /// What the caller is told of an event, and what it is.
    fn told(stream: &mut Stream, data: &str) -> (String, Kind) {
        said(stream.event(data.as_bytes()))
    }

    fn said(event: Event<'_>) -> (String, Kind) {
        let data = event.data.unwrap_or_default().into_owned();
        (String::from_utf8(data).unwrap(), event.kind)
    }

    fn nothing(kind: Kind) -> (String, Kind) {
        (String::new(), kind)
    }

    fn status(kind: &Kind) -> u16 {
        match kind {
            Kind::Error(told) => told.status,
            other => panic!("{other:?} is no error"),
        }
    }

    #[test]
    fn a_stream_in_the_callers_dialect_passes_as_it_came() {
        let check = |stream: &mut Stream, data: &str, kind: Kind| {
            let event = stream.event(data.as_bytes());
            assert_eq!(event, Event::as_it_came(kind, data.as_bytes()));
            assert!(matches!(event.data, Some(std::borrow::Cow::Borrowed(_))));
        };
        let mut tgi = stream_of(Api::Unified, Protocol::Tgi, r#"{"inputs":"x"}"#);
        check(&mut tgi, r#"{"index":1,"token":{}}"#, Kind::Token(1));
        check(
            &mut tgi,
            r#"{"error":"x","error_type":"overloaded"}"#,
            Kind::Error(Told::new(429, "overloaded", "x")),
        );
        assert_eq!((tgi.tokens(), tgi.failed()), (1, true));
        assert_eq!(tgi.finish(), Event::unsaid(Kind::End));

        let mut openai = stream_of(Api::OpenAiChat, Protocol::OpenAi, r#"{"messages":[]}"#);
        check(
            &mut openai,
            r#"{"choices":[{}],"usage":null}"#,
            Kind::Token(1),
        );
        check(
            &mut openai,
            r#"{"choices":[{}],"usage":{"prompt_tokens":5,"completion_tokens":1}}"#,
            Kind::Token(1),
        );
        check(
            &mut openai,
            r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":9}}"#,
            Kind::Other,
        );
        check(&mut openai, "[DONE]", Kind::End);
        assert_eq!((openai.tokens(), openai.failed()), (9, false));
    }

    #[test]
    fn who_speaks_is_no_token() {
        let mut stream = stream_of(Api::OpenAiChat, Protocol::OpenAi, r#"{"messages":[]}"#);
        let greeting = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
        assert_eq!(told(&mut stream, greeting).1, Kind::Other);
        let token = r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#;
        assert_eq!(told(&mut stream, token).1, Kind::Token(1));
        assert_eq!(stream.tokens(), 1);
    }

    #[test]
    fn chunks_of_tgi_are_mended() {
        let mut stream = chat_on_tgi();
        let chunk = |id: &str, model: &str, finish: &str| {
            format!(
                r#"{{"object":"chat.completion.chunk","id":"{id}","created":1,"model":"{model}","choices":[{{"index":0,"delta":{{"content":"\n"}},"finish_reason":{finish}}}],"usage":null}}"#
            )
        };
        let id = "chatcmpl-0000000000000001";
        assert_eq!(
            told(&mut stream, &chunk("", "org/m", "null")),
            (chunk(id, "ours", "null"), Kind::Token(1))
        );
        assert_eq!(
            told(&mut stream, &chunk("", "org/m", r#""stop_sequence""#)),
            (chunk(id, "ours", r#""stop""#), Kind::Token(1))
        );
        assert_eq!(
            told(&mut stream, "[DONE]"),
            ("[DONE]".to_owned(), Kind::End)
        );
        assert_eq!(stream.tokens(), 2);
    }

    #[test]
    fn a_refusal_inside_a_stream_keeps_its_status() {
        let mut stream = chat_on_tgi();
        let (data, kind) = told(
            &mut stream,
            r#"{"error":{"message":"Model is overloaded","http_status_code":422}}"#,
        );
        assert_eq!(status(&kind), 429);
        assert_eq!(
            data,
            r#"{"error":{"code":"overloaded","message":"Model is overloaded","param":null,"type":"rate_limit_error"}}"#
        );
        assert_eq!(told(&mut stream, "[DONE]"), nothing(Kind::End));
    }

    #[test]
    fn chunks_of_an_openai_server_become_tokens_of_tgi() {
        let mut stream = unified_on_openai("{}");
        assert_eq!(
            told(
                &mut stream,
                r#"{"id":"cmpl-1","choices":[{"index":0,"text":" \u00e9\"","logprobs":null,"finish_reason":null}]}"#
            ),
            (
                r#"{"index":1,"token":{"id":0,"text":" \u00e9\"","logprob":0.0,"special":false},"generated_text":null,"details":null}"#.to_owned(),
                Kind::Token(1)
            )
        );
        let last = r#"{"choices":[{"index":0,"text":"!","finish_reason":"length"}]}"#;
        assert_eq!(told(&mut stream, last).1, Kind::Token(1));
        let usage =
            r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;
        assert_eq!(told(&mut stream, usage), nothing(Kind::Other));
        assert_eq!(
            told(&mut stream, "[DONE]"),
            (
                r#"{"index":3,"token":{"id":0,"text":"","logprob":0.0,"special":true},"generated_text":" \u00e9\"!","details":null}"#.to_owned(),
                Kind::End
            )
        );
        assert_eq!(stream.finish(), Event::unsaid(Kind::End));
        assert_eq!(stream.tokens(), 2);
    }

    #[test]
    fn details_and_the_prompt_come_with_the_last_event() {
        let mut stream = unified_on_openai(r#"{"details":true,"return_full_text":true,"seed":7}"#);
        let chunk = r#"{"choices":[{"text":"ab","finish_reason":null,"logprobs":{"tokens":["a","b"],"token_logprobs":[-0.25,-0.5]}}]}"#;
        let (data, kind) = told(&mut stream, chunk);
        assert_eq!(kind, Kind::Token(2));
        assert!(data.contains(r#""text":"ab","logprob":-0.75"#), "{data}");
        let stop = r#"{"choices":[{"text":"","finish_reason":"stop","stop_reason":"\n"}]}"#;
        assert_eq!(told(&mut stream, stop), nothing(Kind::Other));
        assert_eq!(
            said(stream.finish()).0,
            r#"{"index":2,"token":{"id":0,"text":"","logprob":0.0,"special":true},"generated_text":"x\u00e9ab","details":{"finish_reason":"stop_sequence","generated_tokens":2,"seed":7,"input_length":3}}"#
        );
    }

    #[test]
    fn a_stream_that_breaks_off_says_so() {
        let mut stream = unified_on_openai("{}");
        told(&mut stream, r#"{"choices":[{"text":"a"}]}"#);
        let (data, kind) = said(stream.finish());
        assert_eq!(status(&kind), 500);
        assert_eq!(
            data,
            r#"{"error":"Incomplete generation stream","error_type":"incomplete_generation_stream"}"#
        );
        assert!(stream.failed());
        assert_eq!(stream.finish(), Event::unsaid(Kind::End));
    }

    #[test]
    fn an_error_of_an_openai_server_becomes_one_of_tgi_and_ends_the_stream() {
        let mut stream = unified_on_openai("{}");
        let error = r#"{"error": {"message": "too long", "type": "BadRequestError", "code": 400}}"#;
        let (data, kind) = told(&mut stream, error);
        assert_eq!(status(&kind), 400);
        assert_eq!(data, r#"{"error":"too long","error_type":"validation"}"#);
        assert_eq!(told(&mut stream, "[DONE]"), nothing(Kind::Other));
        assert_eq!(stream.finish(), Event::unsaid(Kind::End));

        let mut garbled = unified_on_openai("{}");
        assert_eq!(status(&told(&mut garbled, "\u{0}{").1), 502);
    }

    #[test]
    fn a_character_told_in_two_halves_is_whole_in_the_end() {
        let mut stream = unified_on_openai("{}");
        told(&mut stream, r#"{"choices":[{"text":"\ud83d"}]}"#);
        told(
            &mut stream,
            r#"{"choices":[{"text":"\ude00","finish_reason":"stop"}]}"#,
        );
        let last: Value = serde_json::from_str(&told(&mut stream, "[DONE]").0).unwrap();
        assert_eq!(last["generated_text"], "😀");
    }

    #[test]
    fn an_event_travels_as_lines_of_data() {
        let mut out = Vec::new();
        Event::as_it_came(Kind::Other, b"{\n}").write(&mut out);
        Event::unsaid(Kind::Other).write(&mut out);
        assert_eq!(out, b"data: {\ndata: }\n\n");
    }

    proptest! {
        #[test]
        fn any_events_are_told_without_a_panic(
            events in prop::collection::vec(
                prop_oneof![
                    any::<Vec<u8>>(),
                    r#"(\{"(choices|error|usage|id)":(\[?\{"(text|finish_reason|usage|logprobs)":("[a-z\\]{0,3}"|null|[0-9]{1,3}|\{\})\}?\]?|"")\}?|\[DONE\])"#
                        .prop_map(String::into_bytes),
                ],
                0..8,
            ),
        ) {
            let streams = [
                chat_on_tgi(),
                unified_on_openai(r#"{"details":true}"#),
                stream_of(Api::TgiGenerate, Protocol::Tgi, r#"{"inputs":"x"}"#),
                stream_of(Api::OpenAiChat, Protocol::OpenAi, r#"{"messages":[]}"#),
            ];
            for mut stream in streams {
                for event in &events {
                    stream.event(event);
                }
                stream.finish();
            }
        }

        #[test]
        fn the_tokens_told_are_the_text_that_was_generated(texts: Vec<String>) {
            let mut stream = unified_on_openai("{}");
            let mut tokens = String::new();
            for text in &texts {
                let chunk = json!({"choices": [{"index": 0, "text": text}]}).to_string();
                let token: Value = serde_json::from_str(&told(&mut stream, &chunk).0).unwrap();
                tokens.push_str(token["token"]["text"].as_str().unwrap());
            }
            told(&mut stream, r#"{"choices":[{"text":"","finish_reason":"stop"}]}"#);
            let last: Value = serde_json::from_str(&told(&mut stream, "[DONE]").0).unwrap();
            prop_assert_eq!(&tokens, &texts.concat());
            prop_assert_eq!(last["generated_text"].as_str().unwrap(), tokens);
        }
    }
}
