//! One dialect told in another: how a call is asked of a pool that speaks
//! another API than the caller, and what the caller is told of the answer.
//! Where both speak the same, everything passes as it came.

mod completion;
mod ending;
mod event;
mod facts;
mod json;
mod mend;
mod parameters;
mod retold;
mod stream;
mod told;

use bytes::Bytes;

use super::Call;
use super::answer::unified;
use super::body::BodyError;
use super::route::{Api, Dialect};
use super::usage::Usage;
use crate::config::Protocol;
use completion::Completion;
pub use ending::Ending;
pub use event::{Event, Kind};
pub use facts::Facts;
pub use stream::Stream;
pub use told::Told;

/// How one call is asked of a pool, and its answer told to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Translation {
    caller: Api,
    upstream: Protocol,
}

/// What has to be done between two dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pairing {
    /// Nothing: the pool speaks the caller's dialect.
    Same,
    /// The caller speaks OpenAI's, and TGI its own kind of it.
    Mended,
    /// The caller speaks TGI's, and is told OpenAI's answers in it.
    Retold,
}

/// A whole answer as the caller gets it.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The body.
    pub body: Bytes,
    /// What it cost, as the upstream told.
    pub usage: Option<Usage>,
}

/// Why a call cannot be asked of the pool.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Untranslatable {
    /// The pool's API has nothing that does the same.
    #[error(
        "the model servers of this pool have no counterpart for `{parameter}`; leave it out, \
         or have it listed in the pool's `drop_parameters`"
    )]
    Parameter {
        /// By the name that the caller's API has for it.
        parameter: String,
    },
    /// The call is not what its own API takes.
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl Untranslatable {
    fn parameter(name: &str) -> Self {
        Self::Parameter {
            parameter: name.to_owned(),
        }
    }
}

/// A successful answer is not what the upstream's API promises.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("it is not what its API promises")]
pub struct Malformed;

impl Translation {
    /// Between a caller's API and what a pool speaks.
    pub fn new(caller: Api, upstream: Protocol) -> Self {
        Self { caller, upstream }
    }

    fn pairing(self) -> Pairing {
        match (self.caller.dialect(), self.upstream) {
            (Dialect::Tgi, Protocol::Tgi) | (Dialect::OpenAi, Protocol::OpenAi) => Pairing::Same,
            (Dialect::OpenAi, Protocol::Tgi) => Pairing::Mended,
            (Dialect::Tgi, Protocol::OpenAi) => Pairing::Retold,
        }
    }

    /// Whether the pool speaks the caller's dialect: streams and errors pass as
    /// they come, and so do whole answers, but for those of the unified API,
    /// which `answer` completes.
    pub fn is_identity(self) -> bool {
        self.pairing() == Pairing::Same
    }

    /// The path to call at the endpoint.
    pub fn path(self, streaming: bool) -> &'static str {
        match self.pairing() {
            Pairing::Same | Pairing::Mended => self.caller.upstream_path(streaming),
            Pairing::Retold => Api::OpenAiCompletions.upstream_path(streaming),
        }
    }

    /// The body to send. `model` is what to ask for where the API has a place
    /// for it; empty leaves what the client said. Parameters named in `dropped`
    /// are left out where something is translated.
    ///
    /// # Errors
    /// When a parameter asks for what the pool cannot do, or the call has not
    /// the form of its own API.
    pub fn request(
        self,
        call: &Call,
        model: &str,
        dropped: &[String],
    ) -> Result<Bytes, Untranslatable> {
        match self.pairing() {
            Pairing::Same if self.upstream == Protocol::Tgi => Ok(call.body.to_bytes()),
            Pairing::Same => {
                let mut body = call.body.clone();
                mend::set_model(&mut body, model);
                Ok(body.to_bytes())
            }
            Pairing::Mended => mend::request(call, model, dropped),
            Pairing::Retold => parameters::request(call, model, dropped),
        }
    }

    /// What of a call its answer will need. `unique` becomes the id of an answer
    /// that has none, and is to be another for each call.
    pub fn facts(self, call: &Call, unique: u64) -> Facts {
        Facts::of(call, self.pairing(), unique)
    }

    /// A whole answer with a status of success.
    ///
    /// # Errors
    /// When it cannot be read and would have to be.
    pub fn answer(self, body: Bytes, facts: &Facts) -> Result<Answer, Malformed> {
        match self.pairing() {
            Pairing::Same => Ok(self.same_answer(body, facts)),
            Pairing::Mended => {
                let usage = facts.told.or_else(|| Usage::from_body(&body));
                let body = mend::answer(&body, facts).ok_or(Malformed)?.into();
                Ok(Answer { body, usage })
            }
            Pairing::Retold => self.retold_answer(&body, facts),
        }
    }

    fn same_answer(self, body: Bytes, facts: &Facts) -> Answer {
        let usage = match self.upstream {
            Protocol::Tgi => facts.told,
            Protocol::OpenAi => facts.told.or_else(|| Usage::from_body(&body)),
        };
        if self.caller == Api::Unified {
            let shown = usage.unwrap_or(facts.estimate(0));
            let body = unified(&body, &facts.model, shown);
            return Answer { body, usage };
        }
        Answer { body, usage }
    }

    fn retold_answer(self, body: &[u8], facts: &Facts) -> Result<Answer, Malformed> {
        let completion = Completion::read(body).ok_or(Malformed)?;
        let usage = completion.usage().or(facts.told);
        let choice = completion.into_choice().ok_or(Malformed)?;
        let whole = completion::whole(&choice, usage, facts).ok_or(Malformed)?;
        let body = match self.caller {
            Api::Unified => unified(
                whole.as_bytes(),
                &facts.model,
                usage.unwrap_or(facts.estimate(0)),
            ),
            Api::Tgi => json::array(&[whole]).into(),
            _ => whole.into(),
        };
        Ok(Answer { body, usage })
    }

    /// What a whole answer with another status says, whatever its body is.
    pub fn error(self, status: u16, body: &[u8]) -> Told {
        let told = Told::answer(status, body);
        match self.pairing() {
            Pairing::Retold => told.for_tgi(),
            Pairing::Same | Pairing::Mended => told,
        }
    }

    /// What it takes to end the answer as a stream before its upstream does.
    pub fn ending(self, call: &Call) -> Ending {
        Ending::new(self.caller.dialect(), call.choices())
    }

    /// The answer as a stream.
    pub fn stream(self, facts: Facts) -> Stream {
        Stream::new(self.pairing(), self.caller.dialect(), facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COMPLETION: &str = r#"{"id":"cmpl-1","object":"text_completion","model":"m","choices":[{"index":0,"text":" a\u00e9","finish_reason":"stop","stop_reason":null,"logprobs":{"text_offset":[0,2],"token_logprobs":[-0.5,null],"tokens":[" a","\u00e9"],"top_logprobs":[]}}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;

    const USAGE: Usage = Usage {
        prompt_tokens: 3,
        completion_tokens: 2,
    };

    fn call(api: Api, body: &str) -> Call {
        Call::read(api, Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }

    fn answer(api: Api, upstream: Protocol, asked: &str, body: &str) -> Result<Answer, Malformed> {
        let translation = Translation::new(api, upstream);
        let mut facts = translation.facts(&call(api, asked), 255);
        facts.prompt_tokens = 1;
        translation.answer(Bytes::copy_from_slice(body.as_bytes()), &facts)
    }

    fn retold(api: Api, asked: &str) -> String {
        let answer = answer(api, Protocol::OpenAi, asked, COMPLETION).unwrap();
        assert_eq!(answer.usage, Some(USAGE));
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    #[test]
    fn a_call_goes_to_the_path_that_the_pool_has_for_it() {
        let check = |api, upstream, streaming, path| {
            assert_eq!(Translation::new(api, upstream).path(streaming), path);
        };
        check(Api::Unified, Protocol::Tgi, false, "/generate");
        check(Api::Unified, Protocol::Tgi, true, "/generate_stream");
        check(Api::Tgi, Protocol::Tgi, true, "/");
        check(Api::OpenAiChat, Protocol::Tgi, true, "/v1/chat/completions");
        check(
            Api::OpenAiChat,
            Protocol::OpenAi,
            true,
            "/v1/chat/completions",
        );
        for api in [
            Api::Unified,
            Api::Tgi,
            Api::TgiGenerate,
            Api::TgiGenerateStream,
        ] {
            check(api, Protocol::OpenAi, false, "/v1/completions");
        }
    }

    #[test]
    fn a_request_in_the_pools_dialect_goes_as_it_came() {
        let check = |api, upstream, model, sent: &str, expected: &str| {
            let translation = Translation::new(api, upstream);
            let body = translation.request(&call(api, sent), model, &["seed".to_owned()]);
            assert!(translation.is_identity());
            assert_eq!(body.unwrap(), expected);
        };
        let tgi = r#" {"inputs":"x", "parameters":{"seed":1}} "#;
        check(Api::TgiGenerate, Protocol::Tgi, "m", tgi, tgi);
        check(Api::Unified, Protocol::Tgi, "m", tgi, tgi);
        let openai = r#" {"model":"m", "prompt":"x","seed":1}"#;
        check(
            Api::OpenAiCompletions,
            Protocol::OpenAi,
            "m",
            openai,
            openai,
        );
        check(Api::OpenAiCompletions, Protocol::OpenAi, "", openai, openai);
        check(
            Api::OpenAiCompletions,
            Protocol::OpenAi,
            "other",
            openai,
            r#"{"model":"other","prompt":"x","seed":1}"#,
        );
    }

    #[test]
    fn a_completion_is_retold_as_each_of_tgis_routes_answers() {
        let asked = r#"{"inputs":"x"}"#;
        let text = r#"{"generated_text":" a\u00e9"}"#;
        assert_eq!(retold(Api::TgiGenerate, asked), text);
        assert_eq!(
            retold(Api::Tgi, r#"{"inputs":"x\n"}"#),
            r#"[{"generated_text":"x\n a\u00e9"}]"#
        );
        assert_eq!(
            retold(
                Api::Tgi,
                r#"{"inputs":"x","parameters":{"return_full_text":false}}"#
            ),
            format!("[{text}]")
        );
        assert_eq!(
            retold(
                Api::Unified,
                r#"{"inputs":"x","model_id":"ours","parameters":{"return_full_text":true}}"#
            ),
            r#"{"generated_text":"x a\u00e9","model_id":"ours","usage":{"completion_tokens":2,"prompt_tokens":3,"total_tokens":5}}"#
        );
    }

    #[test]
    fn details_tell_what_the_server_told() {
        assert_eq!(
            retold(
                Api::TgiGenerate,
                r#"{"inputs":"x","parameters":{"details":true,"seed":42}}"#
            ),
            r#"{"generated_text":" a\u00e9","details":{"finish_reason":"eos_token","generated_tokens":2,"seed":42,"prefill":[],"tokens":[{"id":0,"text":" a","logprob":-0.5,"special":false},{"id":0,"text":"\u00e9","logprob":0.0,"special":false}]}}"#
        );
    }

    #[test]
    fn why_it_ended_is_told_in_tgis_words() {
        let check = |choice: &str, expected: &str| {
            let asked = r#"{"inputs":"x","parameters":{"details":true}}"#;
            let body = format!(r#"{{"choices":[{{"text":"",{choice}}}]}}"#);
            let answer = answer(Api::TgiGenerate, Protocol::OpenAi, asked, &body).unwrap();
            let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(body["details"]["finish_reason"], expected, "{choice}");
        };
        check(r#""finish_reason":"length""#, "length");
        check(r#""finish_reason":"stop""#, "eos_token");
        check(
            r#""finish_reason":"stop","stop_reason":128009"#,
            "eos_token",
        );
        check(
            r#""finish_reason":"stop","stop_reason":"\n""#,
            "stop_sequence",
        );
        check(
            r#""finish_reason":"stop","matched_stop":"a""#,
            "stop_sequence",
        );
        check(r#""finish_reason":"stop","matched_stop":2"#, "eos_token");
    }

    #[test]
    fn an_answer_in_the_callers_dialect_passes_as_it_came() {
        let check = |api, upstream, asked, body: &str, usage| {
            let answer = answer(api, upstream, asked, body).unwrap();
            assert_eq!((answer.body, answer.usage), (body.to_owned().into(), usage));
        };
        let tgi = r#" {"generated_text":"a"}"#;
        check(
            Api::TgiGenerate,
            Protocol::Tgi,
            r#"{"inputs":"x"}"#,
            tgi,
            None,
        );
        let prompt = r#"{"prompt":"x"}"#;
        check(
            Api::OpenAiCompletions,
            Protocol::OpenAi,
            prompt,
            COMPLETION,
            Some(USAGE),
        );
        let unified = answer(Api::Unified, Protocol::Tgi, r#"{"inputs":"x"}"#, tgi).unwrap();
        assert_eq!(
            unified.body,
            r#" {"generated_text":"a","model_id":"","usage":{"completion_tokens":0,"prompt_tokens":1,"total_tokens":1}}"#
        );
    }

    #[test]
    fn an_answer_of_tgi_gets_an_id_that_tells_its_route() {
        let check = |api, asked, id: &str| {
            let body = r#"{"id":"","usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
            let answer = answer(api, Protocol::Tgi, asked, body).unwrap();
            let expected = body.replacen("\"\"", &format!("\"{id}-00000000000000ff\""), 1);
            assert_eq!((answer.body, answer.usage), (expected.into(), Some(USAGE)));
        };
        check(Api::OpenAiChat, r#"{"messages":[]}"#, "chatcmpl");
        check(Api::OpenAiCompletions, r#"{"prompt":"x"}"#, "cmpl");
    }

    #[test]
    fn an_error_is_told_in_words_that_the_callers_clients_know() {
        let openai = Translation::new(Api::OpenAiChat, Protocol::Tgi);
        let told = openai.error(
            429,
            br#"{"error":"Model is overloaded","error_type":"overloaded"}"#,
        );
        assert_eq!(
            told.body(Dialect::OpenAi),
            r#"{"error":{"code":"overloaded","message":"Model is overloaded","param":null,"type":"rate_limit_error"}}"#
        );
        let unified = Translation::new(Api::Unified, Protocol::OpenAi);
        let told = unified.error(
            400,
            br#"{"error":{"message":"too long","type":"BadRequestError","code":400}}"#,
        );
        assert_eq!(
            (told.status, told.body(Dialect::Tgi)),
            (
                400,
                r#"{"error":"too long","error_type":"validation"}"#.into()
            )
        );
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_none() {
        for body in [
            "",
            "oops",
            "[]",
            "{}",
            r#"{"choices":[]}"#,
            r#"{"choices":[{"message":{}}]}"#,
        ] {
            let answer = answer(
                Api::TgiGenerate,
                Protocol::OpenAi,
                r#"{"inputs":"x"}"#,
                body,
            );
            assert_eq!(answer, Err(Malformed), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_told_or_malformed(body: Vec<u8>, json in r#"\{"choices":\[\{"text":"[a-z\\"]{0,9}"(,"logprobs":\{\})?\}\]\}"#) {
            for (api, asked) in [
                (Api::Unified, r#"{"inputs":"x","parameters":{"details":true}}"#),
                (Api::Tgi, r#"{"inputs":"x"}"#),
                (Api::OpenAiChat, r#"{"messages":[]}"#),
            ] {
                for upstream in [Protocol::Tgi, Protocol::OpenAi] {
                    let translation = Translation::new(api, upstream);
                    let facts = translation.facts(&call(api, asked), 1);
                    translation.answer(Bytes::from(body.clone()), &facts).ok();
                    translation.answer(json.clone().into(), &facts).ok();
                    translation.error(500, &body);
                }
            }
        }

        #[test]
        fn any_parameters_are_asked_for_in_json_or_refused(
            names in prop::sample::subsequence(
                vec!["best_of", "temperature", "top_k", "stop", "grammar", "seed", "details", "truncate", "watermark", "x"],
                0..8,
            ),
            value in r#"(-?(0|[1-9][0-9]?)(\.[0-9])?|"[a-z]{0,3}"|\[ ?\]|\{"type":"json","value":\{\}\}|true|false|null)"#,
        ) {
            let parameters: Vec<String> =
                names.iter().map(|name| format!("\"{name}\":{value}")).collect();
            let body = format!("{{\"inputs\":\"x\",\"parameters\":{{{}}}}}", parameters.join(","));
            let translation = Translation::new(Api::Unified, Protocol::OpenAi);
            if let Ok(asked) = translation.request(&call(Api::Unified, &body), "m", &[]) {
                serde_json::from_slice::<serde_json::Value>(&asked).unwrap();
            }
        }
    }
}
