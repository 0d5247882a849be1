//! What TGI 3 would say, byte for byte the same each time but for the time
//! that an event carries.

use std::io::Write;

use anyhow::Result;

use crate::workload::{EVENTS, now_ns};

/// The answer of a healthy server, and of its empty metrics.
pub(crate) const HEALTHY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
/// The answer to a path that TGI does not have.
pub(crate) const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
/// The end of a stream.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
/// The head of a stream.
pub(crate) const STREAM_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n\
    content-type: text/event-stream\r\n\
    cache-control: no-cache\r\n\
    x-compute-type: gpu+optimized\r\n\
    x-compute-characters: 900\r\n\
    x-accel-buffering: no\r\n\
    access-control-allow-origin: *\r\n\
    vary: origin, access-control-request-method, access-control-request-headers\r\n\
    transfer-encoding: chunked\r\n\
    date: Tue, 24 Nov 2026 12:00:00 GMT\r\n\r\n";

const TEXT: &str = "A proxy stands between a client and a server. It sees each request before the \
    server does, so it can choose where the request goes, refuse it, or let it wait.";
const DETAILS: &str =
    r#"{"finish_reason":"length","generated_tokens":64,"seed":null,"input_length":225}"#;

/// The answer to `/generate`.
pub(crate) fn whole() -> Vec<u8> {
    let details =
        r#"{"finish_reason":"length","generated_tokens":64,"seed":null,"prefill":[],"tokens":[]}"#;
    let body = format!(r#"{{"generated_text":"{TEXT}","details":{details}}}"#);
    format!(
        "HTTP/1.1 200 OK\r\n\
        content-type: application/json\r\n\
        x-compute-type: gpu+optimized\r\n\
        x-compute-time: 1.284036148\r\n\
        x-compute-characters: 900\r\n\
        x-total-time: 1284\r\n\
        x-validation-time: 1\r\n\
        x-queue-time: 0\r\n\
        x-inference-time: 1283\r\n\
        x-time-per-token: 20\r\n\
        x-prompt-tokens: 225\r\n\
        x-generated-tokens: 64\r\n\
        access-control-allow-origin: *\r\n\
        vary: origin, access-control-request-method, access-control-request-headers\r\n\
        content-length: {}\r\n\
        date: Tue, 24 Nov 2026 12:00:00 GMT\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Writes event `index`, counted from 1, as a chunk that carries the time of now.
pub(crate) fn event(chunk: &mut Vec<u8>, index: usize) -> Result<()> {
    let (text, details) = if index == EVENTS {
        (format!("\"{TEXT}\""), DETAILS)
    } else {
        ("null".into(), "null")
    };
    let sent_ns = now_ns()?;
    let event = format!(
        "data: {{\"index\":{index},\"token\":{{\"id\":{},\"text\":\" proxy\",\"logprob\":-0.3359375,\
        \"special\":false}},\"generated_text\":{text},\"details\":{details},\"sent_ns\":{sent_ns}}}\n\n",
        1_000 + index
    );
    chunk.clear();
    write!(chunk, "{:x}\r\n{event}\r\n", event.len())?;
    Ok(())
}
