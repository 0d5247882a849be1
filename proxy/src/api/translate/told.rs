//! What an upstream says when it fails, in any of the forms that are in use:
//! TGI's flat object, OpenAI's nested one, vLLM's of old, FastAPI's `detail`,
//! plain text, or nothing at all.

use http::StatusCode;
use serde_json::Value;

use crate::api::answer;
use crate::api::route::Dialect;

/// Most of a message that is passed on, in bytes.
const MAX_MESSAGE: usize = 2 << 10;

/// Longest code, in bytes; what is longer is none.
const MAX_CODE: usize = 64;

/// Largest error that is read as JSON, in bytes.
const MAX_JSON: usize = 64 << 10;

/// An upstream's error, as far as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The HTTP status, 400 to 599: as answered, or as the event of a stream tells.
    pub status: u16,
    /// Machine-readable: TGI's `error_type`, or OpenAI's `code` or `type`.
    pub code: String,
    /// For people; at most 2 KiB.
    pub message: String,
}

impl Told {
    /// Of our own making.
    pub(super) fn new(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    fn said(status: u16, code: String, said: Option<String>) -> Self {
        Self {
            status,
            code,
            message: message(said, status),
        }
    }

    /// Of a whole answer.
    pub(super) fn answer(status: u16, body: &[u8]) -> Self {
        let said = Said::read(body);
        let code = said.code.unwrap_or_else(|| tgi_code(status).to_owned());
        Self::said(status, code, said.message)
    }

    /// Of an event in a stream that TGI had begun with status 200.
    pub(super) fn tgi_event(data: &[u8]) -> Self {
        let said = Said::read(data);
        let text = said.message.as_deref().unwrap_or_default();
        let (status, code) = match said.code {
            Some(code) => (tgi_status(&code), code),
            // The chat route says 422 whatever happened; only the text knows better.
            None => by_message(text),
        };
        Self::said(status, code, said.message)
    }

    /// Of an event in a stream that an OpenAI server had begun with status 200.
    pub(super) fn openai_event(data: &[u8]) -> Self {
        let said = Said::read(data);
        let code = said.code.as_deref().unwrap_or_default();
        let status = said.status.unwrap_or_else(|| openai_status(code));
        let code = said.code.unwrap_or_else(|| tgi_code(status).to_owned());
        Self::said(status, code, said.message)
    }

    /// The same with a code that TGI's clients know: they choose what to raise by it.
    pub(super) fn for_tgi(mut self) -> Self {
        tgi_code(self.status).clone_into(&mut self.code);
        self
    }

    /// The error as a body of this dialect.
    pub fn body(&self, dialect: Dialect) -> bytes::Bytes {
        answer::error(dialect, self.status, &self.code, &self.message)
    }
}

/// The parts of an error that were found.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    code: Option<String>,
    status: Option<u16>,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let json = if body.len() > MAX_JSON {
            None
        } else {
            serde_json::from_slice(body).ok()
        };
        match json {
            Some(Value::Object(members)) => Self::of_json(&Value::Object(members)),
            _ => Self {
                message: plain(body),
                ..Self::default()
            },
        }
    }

    fn of_json(body: &Value) -> Self {
        let said = match &body["error"] {
            message @ Value::String(_) => Self {
                message: text(message),
                code: code(&body["error_type"]).or_else(|| code(&body["code"])),
                status: None,
            },
            error @ Value::Object(_) => Self::of_object(error),
            _ => Self::of_object(body),
        };
        Self {
            message: said.message.or_else(|| detail(&body["detail"])),
            ..said
        }
    }

    fn of_object(error: &Value) -> Self {
        let number = |key: &str| {
            let number = u16::try_from(error[key].as_u64()?).ok()?;
            (400..=599).contains(&number).then_some(number)
        };
        Self {
            message: text(&error["message"]),
            code: code(&error["code"]).or_else(|| code(&error["type"])),
            status: number("http_status_code")
                .or_else(|| number("code"))
                .or_else(|| number("status")),
        }
    }
}

/// A string that says something.
fn text(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .map(ToOwned::to_owned)
}

/// A text that can be one of a few.
fn code(value: &Value) -> Option<String> {
    text(value).filter(|code| code.len() <= MAX_CODE)
}

/// FastAPI's: a text, or a list of what is wrong where.
fn detail(detail: &Value) -> Option<String> {
    let Value::Array(problems) = detail else {
        return text(detail);
    };
    let problems = problems.iter().filter_map(|problem| {
        let place = problem["loc"].as_array().and_then(|loc| text(loc.last()?));
        let what = text(&problem["msg"])?;
        Some(place.map_or(what.clone(), |place| format!("`{place}`: {what}")))
    });
    Some(problems.collect::<Vec<_>>().join("; ")).filter(|all| !all.is_empty())
}

/// A body that is not JSON. A page for people to look at tells nothing.
fn plain(body: &[u8]) -> Option<String> {
    let start = &body[..body.len().min(2 * MAX_MESSAGE)];
    let text = String::from_utf8_lossy(start).trim().to_owned();
    (!text.is_empty() && !text.starts_with('<')).then_some(text)
}

fn message(said: Option<String>, status: u16) -> String {
    let mut message = said.unwrap_or_else(|| {
        let reason = StatusCode::from_u16(status).ok();
        let reason = reason.and_then(|status| status.canonical_reason());
        format!(
            "the model server answered {status} {}",
            reason.unwrap_or_default()
        )
        .trim_end()
        .to_owned()
    });
    message.truncate(message.floor_char_boundary(MAX_MESSAGE));
    message
}

/// The `error_type` of TGI that comes nearest to a status.
fn tgi_code(status: u16) -> &'static str {
    match status {
        401 | 403 => "unauthorized",
        404 => "not_found",
        429 | 503 => "overloaded",
        424 => "generation",
        400..=499 => "validation",
        _ => "generation",
    }
}

/// The status that goes with an `error_type` of TGI.
fn tgi_status(error_type: &str) -> u16 {
    match error_type {
        "validation" | "template_error" | "missing_template_variable" | "tool_error" => 422,
        "generation" => 424,
        "overloaded" => 429,
        "healthcheck" => 503,
        _ => 500,
    }
}

/// Status and `error_type` that go with a message of TGI.
fn by_message(message: &str) -> (u16, String) {
    const KNOWN: [(&str, &str); 3] = [
        ("Model is overloaded", "overloaded"),
        ("Request failed during generation", "generation"),
        ("Incomplete generation", "incomplete_generation"),
    ];
    let known = KNOWN.iter().find(|(start, _)| message.starts_with(start));
    let code = known.map_or("validation", |(_, code)| code);
    (tgi_status(code), code.to_owned())
}

/// The status that goes with a `type` or `code` of an OpenAI server.
fn openai_status(code: &str) -> u16 {
    match code {
        "invalid_request_error" | "BadRequestError" | "context_length_exceeded" => 400,
        "authentication_error" => 401,
        "permission_error" => 403,
        "not_found_error" | "NotFoundError" | "model_not_found" => 404,
        "rate_limit_error" | "rate_limit_exceeded" | "RateLimitError" => 429,
        _ => 500,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(status: u16, code: &str, message: &str) -> Told {
        Told::new(status, code, message)
    }

    #[test]
    fn every_form_of_an_error_is_understood() {
        let check = |status, body: &str, code: &str, message: &str| {
            let expected = told(status, code, message);
            assert_eq!(Told::answer(status, body.as_bytes()), expected, "{body}");
        };
        // TGI
        check(
            422,
            r#"{"error":"Input validation error: `inputs` cannot be empty","error_type":"validation"}"#,
            "validation",
            "Input validation error: `inputs` cannot be empty",
        );
        check(
            422,
            r#"{"error":"Suffix is not supported","error_type":"suffix not supported"}"#,
            "suffix not supported",
            "Suffix is not supported",
        );
        check(
            422,
            "Failed to deserialize the JSON body into the target type: missing field `inputs`\n",
            "validation",
            "Failed to deserialize the JSON body into the target type: missing field `inputs`",
        );
        check(
            401,
            "",
            "unauthorized",
            "the model server answered 401 Unauthorized",
        );
        // vLLM, new and old
        check(
            400,
            r#"{"error":{"message":"max_tokens must be at least 1","type":"BadRequestError","param":null,"code":400}}"#,
            "BadRequestError",
            "max_tokens must be at least 1",
        );
        check(
            404,
            r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}"#,
            "NotFoundError",
            "The model `x` does not exist.",
        );
        // OpenAI, llama.cpp
        check(
            400,
            r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            "context_length_exceeded",
            "too long",
        );
        check(
            503,
            r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
            "unavailable_error",
            "Loading model",
        );
        // FastAPI
        check(
            405,
            r#"{"detail":"Method Not Allowed"}"#,
            "validation",
            "Method Not Allowed",
        );
        check(
            422,
            r#"{"detail":[{"loc":["body","prompt"],"msg":"Field required","type":"missing"},{"msg":"and more"}]}"#,
            "validation",
            "`prompt`: Field required; and more",
        );
        // whatever stands before it
        check(
            502,
            "<html><body>Bad Gateway</body></html>",
            "generation",
            "the model server answered 502 Bad Gateway",
        );
        check(
            599,
            "{\"error\":{}}",
            "generation",
            "the model server answered 599",
        );
    }

    #[test]
    fn a_stream_of_tgi_tells_the_true_status() {
        let check = |data: &str, status, code: &str| {
            let read = Told::tgi_event(data.as_bytes());
            assert_eq!((read.status, read.code.as_str()), (status, code), "{data}");
        };
        check(
            r#"{"error":"x","error_type":"validation"}"#,
            422,
            "validation",
        );
        check(
            r#"{"error":"x","error_type":"overloaded"}"#,
            429,
            "overloaded",
        );
        check(
            r#"{"error":"x","error_type":"generation"}"#,
            424,
            "generation",
        );
        check(
            r#"{"error":"x","error_type":"incomplete_generation_stream"}"#,
            500,
            "incomplete_generation_stream",
        );
        let chat = |message: &str| {
            format!(r#"{{"error":{{"message":"{message}","http_status_code":422}}}}"#)
        };
        check(&chat("Model is overloaded"), 429, "overloaded");
        check(
            &chat("Request failed during generation: CUDA out of memory"),
            424,
            "generation",
        );
        check(&chat("Incomplete generation"), 500, "incomplete_generation");
        check(&chat("Input validation error: x"), 422, "validation");
    }

    #[test]
    fn a_stream_of_an_openai_server_tells_its_status_by_code_or_type() {
        let check = |data: &str, status, code: &str| {
            let read = Told::openai_event(data.as_bytes());
            assert_eq!((read.status, read.code.as_str()), (status, code), "{data}");
        };
        check(
            r#"{"error": {"message": "x", "type": "BadRequestError", "param": null, "code": 400}}"#,
            400,
            "BadRequestError",
        );
        check(
            r#"{"object":"error","message":"x","type":"InternalServerError","param":null,"code":500}"#,
            500,
            "InternalServerError",
        );
        check(
            r#"{"error":{"message":"x","type":"rate_limit_error","code":null}}"#,
            429,
            "rate_limit_error",
        );
        check(r#"{"error":{"message":"x","code":200}}"#, 500, "generation");
        check(r#"{"error":"x"}"#, 500, "generation");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = "é".repeat(5000);
        assert_eq!(
            Told::answer(500, long.as_bytes()).message.len(),
            MAX_MESSAGE
        );
        let odd = format!("x{long}");
        assert_eq!(
            Told::answer(500, odd.as_bytes()).message.len(),
            MAX_MESSAGE - 1
        );
    }

    proptest! {
        #[test]
        fn any_bytes_become_a_message(
            status in 400_u16..600,
            body in prop_oneof![
                any::<Vec<u8>>(),
                r#"\{"(error|detail|message|code)": ?(\{"(message|code)":[0-9"n\[]{0,4}\}?|"[a-z\\]*"|[0-9]{1,9}|\[\{"loc":\[\]\}\])\}?"#
                    .prop_map(String::into_bytes),
            ],
        ) {
            for read in [
                Told::answer(status, &body),
                Told::tgi_event(&body),
                Told::openai_event(&body),
            ] {
                prop_assert!((400..600).contains(&read.status));
                prop_assert!(!read.message.is_empty() && read.message.len() <= MAX_MESSAGE);
                prop_assert!(!read.code.is_empty());
            }
        }
    }
}
