//! OpenAI's API as TGI speaks it: nearly, so that requests and answers are
//! mended where it differs, and the rest stays as it came.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{Object, array};
use super::{Facts, Untranslatable};
use crate::api::body::{Body, Members, quote};
use crate::api::{Api, Call};

/// What a request cannot be without.
const NEEDED: [&str; 4] = ["messages", "model", "prompt", "stream"];

/// The body that asks TGI.
pub(super) fn request(
    call: &Call,
    model: &str,
    dropped: &[String],
) -> Result<Bytes, Untranslatable> {
    let mut body = call.body.clone();
    for name in dropped {
        if !NEEDED.contains(&name.as_str()) {
            body.remove(name);
        }
    }
    set_model(&mut body, model);
    ignored_by_tgi(&mut body)?;
    if call.api == Api::OpenAiChat {
        one_cap(&mut body);
        grammar(&mut body);
    }
    // TGI takes a list only.
    if let Some(stop) = body.get("stop").filter(|stop| stop.starts_with('"')) {
        let list = format!("[{stop}]");
        body.set("stop", list);
    }
    // TGI takes less than 1 only; 1 says nothing.
    if body.get("top_p").is_some_and(|p| p.parse() == Ok(1.0)) {
        body.remove("top_p");
    }
    Ok(body.to_bytes())
}

/// Sets the model to ask for; an empty one leaves the client's.
pub(super) fn set_model(body: &mut Body, model: &str) {
    if model.is_empty() {
        return;
    }
    let model = quote(model);
    // A body that is right already goes out as it came.
    if body.get("model") != Some(&model) {
        body.set("model", model);
    }
}

/// Parameters that TGI would pass over in silence.
fn ignored_by_tgi(body: &mut Body) -> Result<(), Untranslatable> {
    let one_answer = |n: &str| n == "null" || n.parse() == Ok(1.0);
    let no_bias = |bias: &str| bias == "null" || bias == "{}" || bias == "[]";
    if body.get("n").is_some_and(|n| !one_answer(n)) {
        return Err(Untranslatable::parameter("n"));
    }
    if body.get("logit_bias").is_some_and(|bias| !no_bias(bias)) {
        return Err(Untranslatable::parameter("logit_bias"));
    }
    // TGI does read its type, and takes no object.
    body.remove("logit_bias");
    Ok(())
}

/// TGI takes the two names of the cap for one key that stands twice.
fn one_cap(body: &mut Body) {
    let (old, new) = (body.get("max_tokens"), body.get("max_completion_tokens"));
    match (old, new) {
        (Some(_), Some("null")) => body.remove("max_completion_tokens"),
        (Some(_), Some(_)) => body.remove("max_tokens"),
        _ => {}
    }
}

#[derive(Deserialize)]
struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    json_schema: Option<&'a RawValue>,
}

/// TGI has the schema in `value`, and no word for plain text.
fn grammar(body: &mut Body) {
    let format = body.get("response_format").unwrap_or("null");
    let Ok(format) = serde_json::from_str::<ResponseFormat<'_>>(format) else {
        return;
    };
    match (format.kind.as_str(), format.json_schema) {
        ("text", _) => body.remove("response_format"),
        ("json_schema", Some(schema)) => {
            let grammar = Object::new()
                .with("type", "\"json_schema\"")
                .with("value", schema.get());
            body.set("response_format", grammar.end());
        }
        _ => {}
    }
}

/// An answer of TGI, whole or one event of a stream, as OpenAI's clients expect
/// it; `None` when it is not an object.
pub(super) fn answer(tgi: &[u8], facts: &Facts) -> Option<String> {
    let Members(members) = serde_json::from_slice(tgi).ok()?;
    let mut answer = Object::new();
    for (key, value) in &members {
        let value = match (&**key, value.get()) {
            ("id", "\"\"") => quote(&facts.id).into(),
            ("model", _) if !facts.model.is_empty() => quote(&facts.model).into(),
            ("choices", choices) => mend_choices(choices),
            (_, value) => Cow::Borrowed(value),
        };
        answer.add(key, &value);
    }
    Some(answer.end())
}

fn mend_choices(choices: &str) -> Cow<'_, str> {
    let Ok(read) = serde_json::from_str::<Vec<Members<'_>>>(choices) else {
        return choices.into();
    };
    let as_it_came = |(key, value): &(Cow<'_, str>, &RawValue)| {
        key != "finish_reason" || finish_reason(value.get()) == value.get()
    };
    if read.iter().all(|choice| choice.0.iter().all(as_it_came)) {
        return choices.into();
    }
    let choices: Vec<String> = read.iter().map(mend_choice).collect();
    array(&choices).into()
}

fn mend_choice(choice: &Members<'_>) -> String {
    let mut mended = Object::new();
    for (key, value) in &choice.0 {
        let value = match &**key {
            "finish_reason" => finish_reason(value.get()),
            _ => value.get(),
        };
        mended.add(key, value);
    }
    mended.end()
}

/// OpenAI's word for TGI's.
fn finish_reason(tgi: &str) -> &str {
    match tgi {
        "\"stop_sequence\"" | "\"eos_token\"" => "\"stop\"",
        "\"\"" => "null",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(api: Api, body: &str, dropped: &[&str]) -> Result<String, String> {
        let call = Call::read(api, Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let dropped: Vec<String> = dropped.iter().map(ToString::to_string).collect();
        request(&call, "tgi", &dropped)
            .map(|body| String::from_utf8(body.to_vec()).unwrap())
            .map_err(|error| error.to_string())
    }

    fn check(sent: &str, expected: &str) {
        let body = |rest: &str| format!(r#"{{"model":"tgi","messages":[]{rest}}}"#);
        let asked = asked(Api::OpenAiChat, &body(sent), &[]).unwrap();
        assert_eq!(asked, body(expected));
    }

    fn facts(model: &str) -> Facts {
        Facts {
            model: model.to_owned(),
            id: "chatcmpl-1".to_owned(),
            ..Facts::default()
        }
    }

    fn mended(tgi: &str) -> String {
        answer(tgi.as_bytes(), &facts("ours")).unwrap()
    }

    #[test]
    fn a_request_that_tgi_takes_goes_as_it_came() {
        check(
            r#", "temperature": 0, "n": 1, "stop": ["a"], "max_completion_tokens":5, "top_p":0.9"#,
            r#", "temperature": 0, "n": 1, "stop": ["a"], "max_completion_tokens":5, "top_p":0.9"#,
        );
    }

    #[test]
    fn what_tgi_would_not_take_is_mended() {
        check(r#","stop":"a\n""#, r#","stop":["a\n"]"#);
        check(r#","stop":null"#, r#","stop":null"#);
        check(r#","top_p":1.0,"seed":1"#, r#","seed":1"#);
        check(r#","top_p":1"#, "");
        check(r#","logit_bias":{}"#, "");
        check(
            r#","max_tokens":5,"max_completion_tokens":5"#,
            r#","max_completion_tokens":5"#,
        );
        check(
            r#","max_tokens":5,"max_completion_tokens":null"#,
            r#","max_tokens":5"#,
        );
        check(r#","response_format":{"type":"text"}"#, "");
        check(
            r#","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}"#,
            r#","response_format":{"type":"json_schema","value":{"name":"n","schema":{}}}"#,
        );
    }

    #[test]
    fn the_model_is_the_one_that_the_pool_is_to_be_asked_for() {
        let body = r#"{"model":"gpt","prompt":"x","n":null}"#;
        assert_eq!(
            asked(Api::OpenAiCompletions, body, &[]).unwrap(),
            r#"{"model":"tgi","prompt":"x","n":null}"#
        );
    }

    #[test]
    fn what_tgi_would_pass_over_is_refused_unless_it_may_be_dropped() {
        for (name, value) in [("n", "2"), ("logit_bias", r#"{"50256":-100}"#)] {
            let body = format!(r#"{{"model":"tgi","prompt":"x","{name}":{value}}}"#);
            let refused = asked(Api::OpenAiCompletions, &body, &[]).unwrap_err();
            assert!(refused.contains(&format!("`{name}`")), "{refused}");
            assert_eq!(
                asked(Api::OpenAiCompletions, &body, &[name, "prompt"]).unwrap(),
                r#"{"model":"tgi","prompt":"x"}"#
            );
        }
    }

    #[test]
    fn an_answer_has_an_id_the_model_asked_for_and_openais_reasons() {
        assert_eq!(
            mended(
                r#"{"object":"chat.completion","id":"","created":1,"model":"org/m","choices":[{"index":0,"message":{"role":"assistant","content":"a\u00e9"},"logprobs":null,"finish_reason":"stop_sequence"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#
            ),
            r#"{"object":"chat.completion","id":"chatcmpl-1","created":1,"model":"ours","choices":[{"index":0,"message":{"role":"assistant","content":"a\u00e9"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#
        );
        assert_eq!(
            mended(
                r#"{"id":"own","choices":[{"text":"a","finish_reason":""},{"finish_reason":"eos_token"},{"finish_reason":"length"}]}"#
            ),
            r#"{"id":"own","choices":[{"text":"a","finish_reason":null},{"finish_reason":"stop"},{"finish_reason":"length"}]}"#
        );
    }

    #[test]
    fn only_what_is_wrong_is_changed() {
        let right =
            r#"{"id":"1","model":"m","choices":[ {"text": "\"finish_reason\":\"\""} ],"x":1.50}"#;
        assert_eq!(answer(right.as_bytes(), &facts("")).unwrap(), right);
        assert_eq!(answer(b"[1]", &facts("")), None);
        assert_eq!(answer(b"\xff", &facts("")), None);
    }
}
