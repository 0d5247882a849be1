//! Writes requests of a plan in TGI's dialect.

use std::io::Write;

use super::plan::Request;

/// How the requests of a run are written.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Dialect {
    /// Answers are to come whole instead of streamed.
    pub(crate) whole: bool,
    /// The key of each tenant; none where everybody may use the gateway.
    pub(crate) keys: Vec<String>,
    /// Models that senders ask for, in turns; none where any will do.
    pub(crate) models: &'static [&'static str],
}

impl Dialect {
    /// The request as bytes. Headers tell the server how long prompt and answer are.
    pub(crate) fn render(&self, request: &Request) -> Vec<u8> {
        let route = if self.whole {
            "/generate"
        } else {
            "/generate_stream"
        };
        let body = format!(
            "{{\"inputs\":\"{}\",\"parameters\":{{\"max_new_tokens\":{}}}}}",
            request.prompt, request.cap
        );
        let mut bytes = Vec::with_capacity(body.len() + 256);
        let mut line = |text: std::fmt::Arguments<'_>| {
            // Writing to memory does not fail.
            let _ = bytes.write_fmt(text);
        };
        line(format_args!(
            "POST {route} HTTP/1.1\r\nhost: bench.local\r\ncontent-type: application/json\r\n"
        ));
        line(format_args!(
            "x-sim-in: {}\r\nx-sim-out: {}\r\n",
            request.input, request.output
        ));
        if let Some(key) = self.keys.get(request.sender) {
            line(format_args!("authorization: Bearer {key}\r\n"));
        }
        if let Some(session) = request.session {
            line(format_args!("x-session: {session}\r\n"));
        }
        if !self.models.is_empty() {
            let model = self.models[request.sender % self.models.len()];
            line(format_args!("x-model-id: {model}\r\n"));
        }
        line(format_args!("content-length: {}\r\n\r\n{body}", body.len()));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_its_lengths_its_key_and_its_model() {
        let request = Request {
            at: 0.0,
            sender: 1,
            prompt: "abc ".into(),
            input: 1,
            output: 7,
            cap: 128,
            session: Some(5),
        };
        let dialect = Dialect {
            whole: true,
            keys: vec!["one".into(), "two".into()],
            models: &["qwen2", "llama3"],
        };
        let text = String::from_utf8(dialect.render(&request)).unwrap();
        for line in [
            "POST /generate HTTP/1.1\r\n",
            "x-sim-in: 1\r\nx-sim-out: 7\r\n",
            "authorization: Bearer two\r\n",
            "x-session: 5\r\n",
            "x-model-id: llama3\r\n",
            "\r\n\r\n{\"inputs\":\"abc \",\"parameters\":{\"max_new_tokens\":128}}",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())));
    }
}
