//! TGI's generation parameters, and what an OpenAI server is asked for instead.
//! Values go over as they were sent; whether they are sensible is for the
//! server to say.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Untranslatable;
use super::json::Object;
use crate::api::Call;
use crate::api::body::{BodyError, Members, quote};

/// What is asked for where the call sets no cap. OpenAI servers would stop
/// after 16 tokens; TGI goes on as long as there is room, and plans for 1024.
const MAX_TOKENS: &str = "1024";

/// The body that asks an OpenAI server for a completion, as a call of TGI's API
/// or of ours wants it.
pub(super) fn request(
    call: &Call,
    model: &str,
    dropped: &[String],
) -> Result<Bytes, Untranslatable> {
    let inputs = call.body.get("inputs").unwrap_or_default();
    if !inputs.starts_with('"') {
        let problem = "`inputs`: expected a string".to_owned();
        return Err(BodyError::Shape(problem).into());
    }
    let mut body = Object::new();
    if !model.is_empty() {
        body.add("model", &quote(model));
    }
    body.add("prompt", inputs);
    Parameters::of(call, dropped)?.ask_openai(&mut body)?;
    if call.streaming() {
        body.add("stream", "true");
        body.add("stream_options", r#"{"include_usage":true}"#);
    }
    Ok(body.end().into())
}

/// The parameters that a call sets.
#[derive(Debug, Default)]
pub(super) struct Parameters<'a> {
    /// Whether there is an object `parameters` at all.
    given: bool,
    /// Those that are not null.
    set: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Parameters<'a> {
    /// Those of a call in TGI's form, without those that are to be `dropped`.
    pub(super) fn of(call: &'a Call, dropped: &[String]) -> Result<Self, BodyError> {
        let Some(members) = call.body.decode::<Members<'a>>("parameters")? else {
            return Ok(Self::default());
        };
        let mut set = members.0;
        set.retain(|(name, value)| {
            value.get() != "null" && !dropped.iter().any(|dropped| dropped == name)
        });
        Ok(Self { given: true, set })
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.set.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.get())
    }

    /// A flag, if it is set.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value == "true")
    }

    /// The seed.
    pub(super) fn seed(&self) -> Option<u64> {
        self.get("seed")?.parse().ok()
    }

    /// Whether TGI would sample: when it is told to, when it is told nothing at
    /// all, and when a parameter would mean nothing without.
    fn samples(&self) -> bool {
        let narrows = |name| self.get(name).is_some_and(|value| !is_number(value, 1.0));
        !self.given
            || self.flag("do_sample") == Some(true)
            || self.get("top_k").is_some()
            || ["temperature", "top_p", "typical_p"]
                .into_iter()
                .any(narrows)
    }

    /// Adds what asks an OpenAI server for the same.
    fn ask_openai(&self, body: &mut Object) -> Result<(), Untranslatable> {
        body.add(
            "max_tokens",
            self.get("max_new_tokens").unwrap_or(MAX_TOKENS),
        );
        let temperature = if self.samples() {
            // Said, because a server may have a default of its own.
            self.get("temperature").unwrap_or("1.0")
        } else {
            "0"
        };
        body.add("temperature", temperature);
        for (name, value) in &self.set {
            ask_for(name, value.get(), body)?;
        }
        // For the tokens in the details; no more than the one that was chosen.
        if self.flag("details") == Some(true) {
            body.add("logprobs", "1");
        }
        Ok(())
    }
}

/// Adds what one parameter asks for, but for those that depend on others.
fn ask_for(name: &str, value: &str, body: &mut Object) -> Result<(), Untranslatable> {
    match name {
        "top_p" | "top_k" | "frequency_penalty" | "seed" => body.add(name, value),
        "repetition_penalty" if !is_number(value, 1.0) => body.add(name, value),
        "truncate" => body.add("truncate_prompt_tokens", value),
        "stop" if !is_empty_list(value) => body.add(name, value),
        "grammar" => match response_format(value) {
            Some(format) => body.add("response_format", &format),
            None => return Err(Untranslatable::parameter(name)),
        },
        // Values by which nothing is asked for.
        "best_of" if is_number(value, 1.0) => {}
        "typical_p" if is_number(value, 1.0) => {}
        "top_n_tokens" if is_number(value, 0.0) => {}
        "watermark" | "decoder_input_details" if value == "false" => {}
        "adapter_id" if value == "\"\"" => {}
        "best_of"
        | "typical_p"
        | "top_n_tokens"
        | "watermark"
        | "decoder_input_details"
        | "adapter_id" => return Err(Untranslatable::parameter(name)),
        // Told above, done by the gateway, or not known to TGI either.
        _ => {}
    }
    Ok(())
}

fn is_number(value: &str, number: f64) -> bool {
    value.parse() == Ok(number)
}

fn is_empty_list(value: &str) -> bool {
    let inside = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

#[derive(Deserialize)]
struct Grammar<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

#[derive(Deserialize)]
struct NamedSchema<'a> {
    name: Option<String>,
    #[serde(borrow)]
    schema: &'a RawValue,
}

/// OpenAI's `response_format` for a grammar of TGI; there is none for a regular
/// expression.
fn response_format(grammar: &str) -> Option<String> {
    let Grammar { kind, value } = serde_json::from_str(grammar).ok()?;
    let schema = match kind.as_str() {
        "json" | "json_object" => NamedSchema {
            name: None,
            schema: value,
        },
        "json_schema" => serde_json::from_str(value.get()).ok()?,
        _ => return None,
    };
    // TGI also takes a schema that stands in a string.
    if !schema.schema.get().starts_with('{') {
        return None;
    }
    // OpenAI's form wants a name.
    let name = schema.name.as_deref().unwrap_or("grammar");
    let named = Object::new()
        .with("name", &quote(name))
        .with("schema", schema.schema.get());
    let format = Object::new()
        .with("type", "\"json_schema\"")
        .with("json_schema", &named.end());
    Some(format.end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Api;

    fn asked_of(api: Api, body: &str, dropped: &[&str]) -> Result<String, String> {
        let call = Call::read(api, Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let dropped: Vec<String> = dropped.iter().map(ToString::to_string).collect();
        request(&call, "m", &dropped)
            .map(|body| String::from_utf8(body.to_vec()).unwrap())
            .map_err(|error| error.to_string())
    }

    /// What is asked for beside model and prompt.
    fn asked(parameters: &str) -> Result<String, String> {
        let body = format!(r#"{{"inputs":"x","parameters":{parameters}}}"#);
        let asked = asked_of(Api::TgiGenerate, &body, &[])?;
        let rest = asked.strip_prefix(r#"{"model":"m","prompt":"x","#).unwrap();
        Ok(rest.strip_suffix('}').unwrap().to_owned())
    }

    fn check(parameters: &str, expected: &str) {
        assert_eq!(asked(parameters).unwrap(), expected, "{parameters}");
    }

    fn greedy(parameters: &str, expected: &str) {
        let expected = format!(r#""max_tokens":1024,"temperature":0{expected}"#);
        check(parameters, &expected);
    }

    fn refused(parameters: &str, name: &str) {
        let expected = format!(
            "the model servers of this pool have no counterpart for `{name}`; leave it out, or \
             have it listed in the pool's `drop_parameters`"
        );
        assert_eq!(asked(parameters).unwrap_err(), expected, "{parameters}");
    }

    #[test]
    fn a_call_of_ours_becomes_one_for_a_completion() {
        let body = r#"{"model_id":"ours","scenario":"s","inputs":"a\u00e9\ud83d","stream":true,
            "parameters":{"max_new_tokens":9,"temperature":0.70,"stop":["\n"],"details":true}}"#;
        assert_eq!(
            asked_of(Api::Unified, body, &[]).unwrap(),
            concat!(
                r#"{"model":"m","prompt":"a\u00e9\ud83d","max_tokens":9,"temperature":0.70,"#,
                r#""stop":["\n"],"logprobs":1,"stream":true,"#,
                r#""stream_options":{"include_usage":true}}"#
            )
        );
    }

    #[test]
    fn a_prompt_that_is_not_a_text_is_refused() {
        let refused = asked_of(Api::Tgi, r#"{"inputs":["x"]}"#, &[]).unwrap_err();
        assert_eq!(refused, "`inputs`: expected a string");
    }

    #[test]
    fn it_samples_when_tgi_would() {
        let sampling = |parameters: &str, temperature: &str| {
            let asked = asked(parameters).unwrap();
            let expected = format!(r#""temperature":{temperature}"#);
            assert!(asked.contains(&expected), "{parameters}: {asked}");
        };
        sampling("null", "1.0");
        sampling("{}", "0");
        sampling(r#"{"do_sample":false,"temperature":1.0}"#, "0");
        sampling(r#"{"do_sample":true}"#, "1.0");
        sampling(r#"{"temperature":0.5}"#, "0.5");
        sampling(r#"{"top_k":5}"#, "1.0");
        sampling(r#"{"top_p":0.9,"do_sample":false}"#, "1.0");
        sampling(r#"{"top_p":1.0}"#, "0");
    }

    #[test]
    fn parameters_keep_their_values_under_other_names() {
        check(
            r#"{"top_k":5,"top_p":0.90,"repetition_penalty":1.1,"frequency_penalty":-1e-1,"seed":7,"truncate":100,"max_new_tokens":null}"#,
            r#""max_tokens":1024,"temperature":1.0,"top_k":5,"top_p":0.90,"repetition_penalty":1.1,"frequency_penalty":-1e-1,"seed":7,"truncate_prompt_tokens":100"#,
        );
    }

    #[test]
    fn what_asks_for_nothing_is_left_out() {
        greedy(
            r#"{"best_of":1,"typical_p":1.0,"top_n_tokens":0,"watermark":false,"decoder_input_details":false,"adapter_id":"","grammar":null,"stop":[ ],"repetition_penalty":1,"return_full_text":true,"details":false,"unheard_of":3}"#,
            "",
        );
    }

    #[test]
    fn what_has_no_counterpart_is_refused_by_name() {
        refused(r#"{"best_of":2}"#, "best_of");
        refused(r#"{"typical_p":0.9}"#, "typical_p");
        refused(r#"{"top_n_tokens":2}"#, "top_n_tokens");
        refused(r#"{"watermark":true}"#, "watermark");
        refused(r#"{"decoder_input_details":true}"#, "decoder_input_details");
        refused(r#"{"adapter_id":"lora"}"#, "adapter_id");
        refused(r#"{"grammar":{"type":"regex","value":"a+"}}"#, "grammar");
        refused(r#"{"grammar":{"type":"json","value":"{}"}}"#, "grammar");
        refused(r#"{"grammar":"oops"}"#, "grammar");
    }

    #[test]
    fn what_may_be_dropped_is_not_sent() {
        let body = r#"{"inputs":"x","parameters":{"typical_p":0.9,"top_k":5,"seed":1}}"#;
        assert_eq!(
            asked_of(Api::TgiGenerate, body, &["typical_p", "top_k", "inputs"]).unwrap(),
            r#"{"model":"m","prompt":"x","max_tokens":1024,"temperature":0,"seed":1}"#
        );
    }

    #[test]
    fn a_schema_becomes_a_response_format() {
        let format = |schema: &str| {
            format!(r#","response_format":{{"type":"json_schema","json_schema":{schema}}}"#)
        };
        greedy(
            r#"{"grammar":{"type":"json","value":{"properties": {}}}}"#,
            &format(r#"{"name":"grammar","schema":{"properties": {}}}"#),
        );
        greedy(
            r#"{"grammar":{"type":"json_schema","value":{"name":"n","schema":{}}}}"#,
            &format(r#"{"name":"n","schema":{}}"#),
        );
    }
}
