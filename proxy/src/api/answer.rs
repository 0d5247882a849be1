//! What the gateway itself says: errors in the caller's dialect, the model
//! list, and the unified answer made from an upstream's.

use bytes::Bytes;
use serde_json::json;

use super::body::quote;
use super::route::Dialect;
use super::usage::Usage;

/// The body of an error.
pub fn error(dialect: Dialect, status: u16, code: &str, message: &str) -> Bytes {
    let body = match dialect {
        Dialect::Tgi => json!({"error": message, "error_type": code}),
        Dialect::OpenAi => json!({"error": {
            "message": message,
            "type": openai_type(status),
            "param": null,
            "code": code,
        }}),
    };
    body.to_string().into()
}

/// OpenAI's class of error for a status.
fn openai_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

/// The body of `GET /v1/models`.
pub fn models<'a>(ids: impl Iterator<Item = &'a str>) -> Bytes {
    let data: Vec<_> = ids
        .map(|id| json!({"id": id, "object": "model", "created": 0, "owned_by": "headworks"}))
        .collect();
    json!({"object": "list", "data": data}).to_string().into()
}

/// The unified answer: TGI's, with the model that answered and what it cost.
/// A body that is not a JSON object is passed as it is.
pub fn unified(tgi: &[u8], model: &str, usage: Usage) -> Bytes {
    let Some(end) = tgi.iter().rposition(|byte| !byte.is_ascii_whitespace()) else {
        return Bytes::copy_from_slice(tgi);
    };
    if tgi[end] != b'}' {
        return Bytes::copy_from_slice(tgi);
    }
    let mut out = Vec::with_capacity(tgi.len() + model.len() + 128);
    out.extend_from_slice(&tgi[..end]);
    out.extend_from_slice(b",\"model_id\":");
    out.extend_from_slice(quote(model).as_bytes());
    out.extend_from_slice(b",\"usage\":");
    out.extend_from_slice(json!(usage).to_string().as_bytes());
    out.push(b'}');
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_speaks_the_dialect_of_its_caller() {
        assert_eq!(
            error(Dialect::Tgi, 503, "queue_full", "full"),
            r#"{"error":"full","error_type":"queue_full"}"#
        );
        assert_eq!(
            error(Dialect::OpenAi, 429, "tokens", "slow down"),
            r#"{"error":{"code":"tokens","message":"slow down","param":null,"type":"rate_limit_error"}}"#
        );
    }

    #[test]
    fn the_unified_answer_keeps_what_the_upstream_said() {
        let usage = Usage {
            prompt_tokens: 3,
            completion_tokens: 4,
        };
        let answer = unified(b"{\"generated_text\":\"hi\"}\n", "a\"b", usage);
        assert_eq!(
            answer,
            r#"{"generated_text":"hi","model_id":"a\"b","usage":{"completion_tokens":4,"prompt_tokens":3,"total_tokens":7}}"#
        );
        assert_eq!(unified(b"oops", "m", usage), "oops");
    }
}
