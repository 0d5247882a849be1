//! What was asked, in which dialect: `Call` is a request body, judged once and
//! changed only through the vocabulary of its dialect. Nothing here does I/O.

pub mod answer;
pub mod body;
pub mod density;
pub mod events;
pub mod route;
pub mod sse;
pub mod translate;
pub mod usage;

use bytes::Bytes;
use serde_json::value::RawValue;

use body::Members;
pub use body::{Body, BodyError, EditError};
pub use route::Api;

/// What TGI calls the model that it serves, whichever it is. It takes any other
/// name for that of a LoRA adapter.
pub const TGI_MODEL: &str = "tgi";

/// What clients say where they have to name a model and mean whatever there is:
/// `text-generation` the first, `huggingface_hub` the second.
const NAMELESS: [&str; 2] = [TGI_MODEL, "dummy"];

/// What was asked.
#[derive(Debug, Clone)]
pub struct Call {
    /// The API called.
    pub api: Api,
    /// The body, as sent or as filters changed it.
    pub body: Body,
    model: String,
    scenario: Option<String>,
    streaming: bool,
    max_new_tokens: Option<u32>,
    prompt_bytes: usize,
}

impl Call {
    /// Judges a request body.
    ///
    /// # Errors
    /// When it is not JSON, when a member that the gateway reads has the wrong
    /// type, or when the body could be read in two ways.
    pub fn read(api: Api, body: Bytes) -> Result<Self, BodyError> {
        Self::judge(api, Body::parse(body)?)
    }

    /// Judges a body of `/invocations`, which says by its members what it is.
    ///
    /// # Errors
    /// As `read`, and when it is of no API.
    pub fn read_invocation(body: Bytes) -> Result<Self, BodyError> {
        let body = Body::parse(body)?;
        Self::judge(Api::of_invocation(&body)?, body)
    }

    fn judge(api: Api, body: Body) -> Result<Self, BodyError> {
        let prompt_bytes = match body.get(api.prompt_key()) {
            Some(prompt) => prompt.len(),
            None => {
                return Err(BodyError::Shape(format!(
                    "missing field `{}`",
                    api.prompt_key()
                )));
            }
        };
        let named = api
            .model_key()
            .map_or(Ok(None), |key| body.decode::<String>(key))?;
        let named = named.filter(|name| !NAMELESS.contains(&name.as_str()));
        let model = named.unwrap_or_default();
        let scenario = if api == Api::Unified {
            body.decode("scenario")?
        } else {
            None
        };
        let asked = api.has_stream_key() && body.decode("stream")?.unwrap_or(false);
        let streaming = asked || api == Api::TgiGenerateStream;
        let max_new_tokens = max_new_tokens(api, &body)?;
        Ok(Self {
            api,
            body,
            model,
            scenario,
            streaming,
            max_new_tokens,
            prompt_bytes,
        })
    }

    /// The model id as the client sent it or a filter set it; empty for none.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Changes the model id that later filters see.
    pub fn set_model(&mut self, model: String) {
        self.model = model;
    }

    /// The `scenario` of a unified request.
    pub fn scenario(&self) -> Option<&str> {
        self.scenario.as_deref()
    }

    /// Whether the client asked for a stream.
    pub fn streaming(&self) -> bool {
        self.streaming
    }

    /// The prompt, where it is one text.
    pub fn prompt_text(&self) -> Option<String> {
        serde_json::from_str(self.prompt()).ok()
    }

    /// The prompt as it stands in the body: JSON text.
    pub fn prompt(&self) -> &str {
        self.body.get(self.api.prompt_key()).unwrap_or_default()
    }

    /// Length of the prompt as it stands in the body, bytes.
    pub fn prompt_bytes(&self) -> usize {
        self.prompt_bytes
    }

    /// The client's cap on new tokens.
    pub fn max_new_tokens(&self) -> Option<u32> {
        self.max_new_tokens
    }

    /// Sets the cap on new tokens.
    pub fn set_max_new_tokens(&mut self, tokens: u32) -> Result<(), EditError> {
        self.set_parameter("max_new_tokens", &tokens.to_string())
    }

    /// How many texts are asked for: `n` or `best_of` of each prompt of a list.
    pub fn choices(&self) -> u32 {
        let number = |name: &str| -> u32 {
            let value = if self.api.has_parameters() {
                self.parameter(name)
            } else {
                self.body.get(name).map(ToOwned::to_owned)
            };
            value.and_then(|value| value.parse().ok()).unwrap_or(1)
        };
        let each = number("n").max(number("best_of")).max(1);
        each.saturating_mul(self.prompts())
    }

    /// How many prompts there are: OpenAI's completions take a list of texts.
    fn prompts(&self) -> u32 {
        let prompt = self.prompt();
        if self.api.is_chat() || !prompt.starts_with('[') {
            return 1;
        }
        let texts = serde_json::from_str::<Vec<&RawValue>>(prompt).unwrap_or_default();
        // A list of numbers is one prompt, in tokens.
        let is_one = texts
            .first()
            .is_none_or(|first| first.get().starts_with(|c: char| c.is_ascii_digit()));
        if is_one {
            1
        } else {
            u32::try_from(texts.len()).unwrap_or(u32::MAX)
        }
    }

    /// A generation parameter as JSON text, by its TGI name.
    pub fn parameter(&self, name: &str) -> Option<String> {
        if self.api.has_parameters() {
            let parameters: Members<'_> =
                serde_json::from_str(self.body.get("parameters")?).ok()?;
            let (_, value) = parameters.0.into_iter().find(|(key, _)| key == name)?;
            return Some(value.get().to_owned());
        }
        self.openai_keys(name)
            .iter()
            .find_map(|key| self.body.get(key))
            .map(ToOwned::to_owned)
    }

    /// Sets a generation parameter, by its TGI name, to JSON text.
    pub fn set_parameter(&mut self, name: &str, value: &str) -> Result<(), EditError> {
        if self.api.has_parameters() {
            self.keep_sampling()?;
            let name = name.replace('~', "~0").replace('/', "~1");
            return self.set_json(&format!("/parameters/{name}"), value);
        }
        let keys = self.openai_keys(name);
        let Some(first) = keys.first() else {
            return Err(EditError::NotInApi(self.api.as_str(), name.to_owned()));
        };
        // Where an API has two names for one thing, the one that the client used.
        let used = keys
            .iter()
            .find(|key| self.body.get(key).is_some())
            .unwrap_or(first);
        self.set_json(&format!("/{used}"), value)
    }

    /// Makes room for parameters where the client sent none. TGI samples when
    /// there is no `parameters` at all, and does not when there is one without
    /// `do_sample`; a parameter that a filter adds must not turn one into the other.
    fn keep_sampling(&mut self) -> Result<(), EditError> {
        match self.body.get("parameters") {
            None | Some("null") => self.set_json("/parameters", r#"{"do_sample":true}"#),
            Some(_) => Ok(()),
        }
    }

    /// Puts text around the prompt.
    ///
    /// # Errors
    /// When the prompt is not one string: a chat, or a list of prompts.
    pub fn wrap_prompt(&mut self, before: &str, after: &str) -> Result<(), EditError> {
        let key = self.api.prompt_key();
        let prompt = self.body.get(key).unwrap_or_default();
        let Some(inner) = prompt
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
        else {
            return Err(EditError::NotInApi(
                self.api.as_str(),
                "prompt that is one text".to_owned(),
            ));
        };
        // The prompt stays as escaped as it came: only the wrapping is encoded.
        let (before, after) = (body::quote(before), body::quote(after));
        let wrapped = format!("{}{inner}{}", &before[..before.len() - 1], &after[1..]);
        self.prompt_bytes = wrapped.len();
        self.body.set(key, wrapped);
        Ok(())
    }

    /// JSON text at a JSON pointer.
    pub fn json(&self, pointer: &str) -> Option<String> {
        self.body.pointer(pointer)
    }

    /// Whether a JSON pointer leads to or into prompt content.
    pub fn is_content(&self, pointer: &str) -> bool {
        let first = pointer
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default();
        matches!(first, "inputs" | "prompt" | "messages" | "suffix")
    }

    /// Sets JSON text at a JSON pointer.
    pub fn set_json(&mut self, pointer: &str, value: &str) -> Result<(), EditError> {
        let mut body = self.body.clone();
        body.set_pointer(pointer, value)?;
        // What was read from the old body must hold for the new one.
        let judged = Self::judge(self.api, body)?;
        *self = Self {
            model: std::mem::take(&mut self.model),
            ..judged
        };
        Ok(())
    }

    /// The names that an OpenAI API has for a TGI parameter, preferred first.
    fn openai_keys(&self, name: &str) -> &'static [&'static str] {
        match name {
            "max_new_tokens" if self.api == Api::OpenAiChat => {
                &["max_completion_tokens", "max_tokens"]
            }
            "max_new_tokens" => &["max_tokens"],
            "temperature" => &["temperature"],
            "top_p" => &["top_p"],
            "seed" => &["seed"],
            "stop" => &["stop"],
            "frequency_penalty" => &["frequency_penalty"],
            _ => &[],
        }
    }
}

/// The cap on new tokens, whatever the API calls it.
fn max_new_tokens(api: Api, body: &Body) -> Result<Option<u32>, BodyError> {
    if api.has_parameters() {
        return parameters_cap(body);
    }
    let old = body.decode("max_tokens")?;
    let new = if api == Api::OpenAiChat {
        body.decode("max_completion_tokens")?
    } else {
        None
    };
    if old.is_some() && new.is_some() && old != new {
        let both = "`max_tokens` and `max_completion_tokens` differ: send one of them";
        return Err(BodyError::Shape(both.to_owned()));
    }
    Ok(new.or(old))
}

fn parameters_cap(body: &Body) -> Result<Option<u32>, BodyError> {
    let parameters = match body.get("parameters") {
        None | Some("null") => return Ok(None),
        Some(text) => serde_json::from_str::<Members<'_>>(text),
    };
    let shape = |name: &str, e: &serde_json::Error| {
        BodyError::Shape(format!("`{name}`: {}", body::without_position(e)))
    };
    let parameters = parameters.map_err(|e| shape("parameters", &e))?;
    let cap = parameters.0.iter().find(|(key, _)| key == "max_new_tokens");
    cap.map_or(Ok(None), |(_, value): &(_, &RawValue)| {
        serde_json::from_str(value.get()).map_err(|e| shape("parameters.max_new_tokens", &e))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(api: Api, body: &str) -> Call {
        Call::read(api, Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }

    fn refusal(api: Api, body: &str) -> String {
        Call::read(api, Bytes::copy_from_slice(body.as_bytes()))
            .unwrap_err()
            .to_string()
    }

    fn text(call: &Call) -> String {
        String::from_utf8(call.body.to_bytes().to_vec()).unwrap()
    }

    #[test]
    fn each_api_names_model_stream_and_cap_its_own_way() {
        let unified = call(
            Api::Unified,
            r#"{"model_id":"m","scenario":"chat","inputs":"hello wo","stream":true,"parameters":{"max_new_tokens":9}}"#,
        );
        assert_eq!((unified.model(), unified.scenario()), ("m", Some("chat")));
        assert_eq!(
            (
                unified.streaming(),
                unified.max_new_tokens(),
                unified.prompt_bytes()
            ),
            (true, Some(9), 10)
        );

        let tgi = call(Api::TgiGenerate, r#"{"inputs":"x","stream":true}"#);
        assert_eq!(
            (tgi.model(), tgi.streaming(), tgi.max_new_tokens()),
            ("", false, None)
        );
        assert!(call(Api::TgiGenerateStream, r#"{"inputs":"x"}"#).streaming());

        let chat = call(
            Api::OpenAiChat,
            r#"{"model":"m","messages":[],"max_completion_tokens":5}"#,
        );
        assert_eq!((chat.model(), chat.max_new_tokens()), ("m", Some(5)));
    }

    #[test]
    fn a_wrong_shape_is_named() {
        assert_eq!(refusal(Api::TgiGenerate, "{}"), "missing field `inputs`");
        assert_eq!(
            refusal(Api::Unified, r#"{"inputs":"x","model_id":3}"#),
            "`model_id`: invalid type: integer `3`, expected a string"
        );
        assert_eq!(
            refusal(
                Api::Unified,
                r#"{"inputs":"x","parameters":{"max_new_tokens":1.5}}"#
            ),
            "`parameters.max_new_tokens`: invalid type: floating point `1.5`, expected u32"
        );
        assert_eq!(
            refusal(
                Api::Unified,
                r#"{"inputs":"x","parameters":{"seed":1,"seed":2}}"#
            ),
            "`parameters`: the key `seed` appears twice"
        );
        assert_eq!(
            refusal(
                Api::OpenAiChat,
                r#"{"messages":[],"max_tokens":1,"max_completion_tokens":2}"#
            ),
            "`max_tokens` and `max_completion_tokens` differ: send one of them"
        );
    }

    #[test]
    fn parameters_go_by_their_tgi_names_in_every_api() {
        let mut chat = call(Api::OpenAiChat, r#"{"messages":[],"max_tokens":50}"#);
        chat.set_max_new_tokens(10).unwrap();
        chat.set_parameter("temperature", "0.5").unwrap();
        assert_eq!(
            text(&chat),
            r#"{"messages":[],"max_tokens":10,"temperature":0.5}"#
        );
        assert_eq!(chat.max_new_tokens(), Some(10));
        let refused = chat.set_parameter("watermark", "true").unwrap_err();
        assert_eq!(refused.to_string(), "openai.chat has no `watermark`");

        let mut tgi = call(Api::TgiGenerate, r#"{"inputs":"x"}"#);
        tgi.set_max_new_tokens(10).unwrap();
        assert_eq!(
            text(&tgi),
            r#"{"inputs":"x","parameters":{"do_sample":true,"max_new_tokens":10}}"#
        );
        assert_eq!(tgi.parameter("max_new_tokens").as_deref(), Some("10"));
    }

    #[test]
    fn a_parameter_that_is_added_does_not_switch_sampling_off() {
        let mut none = call(Api::Unified, r#"{"inputs":"x","parameters":null}"#);
        none.set_parameter("do_sample", "false").unwrap();
        assert_eq!(none.parameter("do_sample").as_deref(), Some("false"));
        let mut some = call(Api::Unified, r#"{"inputs":"x","parameters":{}}"#);
        some.set_max_new_tokens(3).unwrap();
        assert_eq!(some.parameter("do_sample"), None);
    }

    #[test]
    fn a_prompt_is_wrapped_without_being_decoded() {
        let mut call = call(Api::Unified, r#"{"inputs":"a\u00e9\"b"}"#);
        call.wrap_prompt("say \"", "\"\n").unwrap();
        assert_eq!(text(&call), r#"{"inputs":"say \"a\u00e9\"b\"\n"}"#);
    }

    #[test]
    fn a_chat_has_no_prompt_to_wrap() {
        let mut chat = call(Api::OpenAiChat, r#"{"messages":[]}"#);
        assert!(chat.wrap_prompt("a", "b").is_err());
    }

    #[test]
    fn a_change_that_breaks_the_request_is_refused_and_leaves_it_as_it_was() {
        let mut call = call(Api::Unified, r#"{"inputs":"x","model_id":"m"}"#);
        assert!(call.set_json("/parameters", "3").is_err());
        assert_eq!(
            (text(&call).as_str(), call.model()),
            (r#"{"inputs":"x","model_id":"m"}"#, "m")
        );
    }
}
