//! The rows of the table of faults.

use headworks_tests::FaultKind;

/// What goes wrong.
pub(super) enum Fault {
    /// Nobody listens.
    Refused,
    /// These bytes for an answer, and the connection's end.
    Closes(&'static [u8]),
    /// These bytes for an answer, and then nothing.
    Hangs(&'static [u8]),
    /// A reset before any byte.
    Resets,
    /// These bytes, one at a time.
    Trickles(&'static [u8]),
    /// A model server with a fault.
    Model(FaultKind),
}

/// Which API the client calls.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Call {
    Unified,
    Whole,
    Stream,
    Chat,
    ChatStream,
}

/// What the client sees.
pub(super) enum Sees {
    /// An answer with this status and, if it is an error, this code.
    Answer(u16, &'static str),
    /// An answer of which the transfer breaks.
    Half(u16),
    /// A stream with so many events before an error event of this code, cut.
    BrokenStream(usize, &'static str),
    /// A stream that ends as it should, whose last event is an error of this code.
    ErrorLast(&'static str),
    /// So many events, and the proper end.
    Events(usize),
}

use Call::{Chat, ChatStream, Stream, Unified, Whole};
use Fault::{Closes, Hangs, Model, Refused, Resets, Trickles};
use Sees::{Answer, BrokenStream, ErrorLast, Events, Half};

/// A row: its name, which is its pool's too.
pub(super) type Row = (&'static str, Fault, Call, Sees, &'static str);

/// No failure is counted.
const NONE: &str = "";

/// A stream that ends before it begins.
pub(super) const SSE: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

macro_rules! json_answer {
    ($rest:literal) => {
        concat!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n",
            $rest
        )
        .as_bytes()
    };
}

/// A stream's bytes.
macro_rules! sse {
    ($events:literal) => {
        concat!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n",
            $events
        )
        .as_bytes()
    };
}

macro_rules! chunked {
    ($chunks:literal) => {
        concat!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
            $chunks
        )
        .as_bytes()
    };
}

/// What goes wrong, whom it hits, what is seen, and what kind of failure is counted.
pub(super) fn table() -> Vec<Row> {
    vec![
        // Before there is a head
        (
            "refused-connect",
            Refused,
            Whole,
            Answer(502, "upstream_unreachable"),
            "connect",
        ),
        (
            "refused-connect-chat",
            Refused,
            Chat,
            Answer(502, "upstream_unreachable"),
            "connect",
        ),
        (
            "reset-before-head",
            Resets,
            Whole,
            Answer(502, "upstream_broke"),
            "broke",
        ),
        (
            "closed-before-head",
            Closes(b""),
            Stream,
            Answer(502, "upstream_broke"),
            "broke",
        ),
        (
            "closed-in-head",
            Closes(b"HTTP/1.1 200 OK\r\ncontent-le"),
            Whole,
            Answer(502, "upstream_broke"),
            "broke",
        ),
        (
            "garbage-status-line",
            Closes(b"HTTP/1.1 two hundred\r\n\r\n"),
            Whole,
            Answer(502, "upstream_broke"),
            "broke",
        ),
        (
            "not-http",
            Closes(b"SSH-2.0-OpenSSH_9.2\r\n"),
            Chat,
            Answer(502, "upstream_broke"),
            "broke",
        ),
        (
            "hang-before-head",
            Hangs(b""),
            Whole,
            Answer(504, "upstream_timeout"),
            "timeout",
        ),
        (
            "hang-before-head-stream",
            Hangs(b""),
            Stream,
            Answer(504, "upstream_timeout"),
            "timeout",
        ),
        (
            "hang-in-head",
            Hangs(b"HTTP/1.1 200 OK\r\nx: "),
            Chat,
            Answer(504, "upstream_timeout"),
            "timeout",
        ),
        (
            "1xx-and-then-an-answer",
            Closes(
                b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            ),
            Whole,
            Answer(200, ""),
            NONE,
        ),
        (
            "1xx-and-nothing",
            Hangs(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
            Whole,
            Answer(504, "upstream_timeout"),
            "timeout",
        ),
        // The status says it
        (
            "429",
            Model(FaultKind::Refuse),
            Whole,
            Answer(429, "overloaded"),
            "overloaded",
        ),
        (
            "429-chat",
            Model(FaultKind::Refuse),
            Chat,
            Answer(429, "overloaded"),
            "overloaded",
        ),
        (
            "503",
            Model(FaultKind::Status { status: 503 }),
            Stream,
            Answer(503, NO_CODE),
            "server_error",
        ),
        (
            "500-chat",
            Model(FaultKind::Status { status: 500 }),
            Chat,
            Answer(500, "generation"),
            "server_error",
        ),
        (
            "424-of-a-batch",
            Model(FaultKind::ErrorEvent { tokens: 1 }),
            Whole,
            Answer(424, "generation"),
            "generation",
        ),
        (
            "422-in-plain-text",
            Closes(
                b"HTTP/1.1 422 x\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\nbad field",
            ),
            Chat,
            Answer(422, "validation"),
            "refused",
        ),
        (
            "401-without-a-word",
            Closes(b"HTTP/1.1 401 x\r\ncontent-length: 0\r\n\r\n"),
            Whole,
            Answer(401, NO_CODE),
            "refused",
        ),
        (
            "no-content",
            Closes(b"HTTP/1.1 204 x\r\n\r\n"),
            Whole,
            Answer(204, NO_CODE),
            NONE,
        ),
        // The first event says it
        (
            "429-as-an-event",
            Model(FaultKind::Refuse),
            Stream,
            Answer(429, "overloaded"),
            "overloaded",
        ),
        (
            "429-as-an-event-of-a-chat",
            Model(FaultKind::Refuse),
            ChatStream,
            Answer(429, "overloaded"),
            "overloaded",
        ),
        (
            "424-as-first-event",
            Model(FaultKind::ErrorEvent { tokens: 0 }),
            Stream,
            Answer(424, "generation"),
            "generation",
        ),
        (
            "422-as-first-event",
            Closes(sse!(
                "data: {\"error\":\"Input validation error: x\",\"error_type\":\"validation\"}\n\n"
            )),
            Stream,
            Answer(422, "validation"),
            "refused",
        ),
        (
            "empty-stream",
            Closes(SSE.as_bytes()),
            Stream,
            Answer(502, "upstream_broke"),
            "broke",
        ),
        (
            "only-heartbeats",
            Hangs(sse!(":\n\n")),
            Stream,
            Answer(504, "upstream_timeout"),
            "timeout",
        ),
        // After the first token
        (
            "stall-in-a-stream",
            Hangs(sse!("data: {\"index\":1}\n\n")),
            Stream,
            BrokenStream(1, "upstream_timeout"),
            "timeout",
        ),
        (
            "reset-in-a-stream",
            Model(FaultKind::ResetAfter { tokens: 3 }),
            Stream,
            BrokenStream(3, "upstream_broke"),
            "broke",
        ),
        (
            "reset-in-a-chat",
            Model(FaultKind::ResetAfter { tokens: 3 }),
            ChatStream,
            BrokenStream(3, "upstream_broke"),
            "broke",
        ),
        (
            "cut-in-an-event",
            Closes(chunked!("18\r\ndata: {\"index\":1}\n\ndata:\r\n")),
            Stream,
            BrokenStream(1, "upstream_broke"),
            "broke",
        ),
        (
            "a-chunk-that-is-none",
            Closes(chunked!("13\r\ndata: {\"index\":1}\n\n\r\nzz\r\n")),
            Stream,
            BrokenStream(1, "upstream_broke"),
            "broke",
        ),
        (
            "error-event-in-a-stream",
            Model(FaultKind::ErrorEvent { tokens: 2 }),
            Stream,
            ErrorLast("generation"),
            NONE,
        ),
        (
            "error-event-in-a-chat",
            Model(FaultKind::ErrorEvent { tokens: 2 }),
            ChatStream,
            ErrorLast("generation"),
            NONE,
        ),
        (
            "half-a-whole-answer",
            Closes(json_answer!(
                "content-length: 99\r\n\r\n{\"generated_text\":"
            )),
            Unified,
            Answer(502, "upstream_broke"),
            "broke",
        ),
        (
            "half-a-whole-answer-that-began",
            Closes(json_answer!(
                "content-length: 99\r\n\r\n{\"generated_text\":"
            )),
            Whole,
            Half(200),
            "broke",
        ),
        (
            "content-length-too-short",
            Closes(json_answer!("content-length: 2\r\n\r\n{}{}{}")),
            Whole,
            Answer(200, ""),
            NONE,
        ),
        (
            "two-content-lengths",
            Closes(json_answer!(
                "content-length: 2\r\ncontent-length: 4\r\n\r\n{}{}"
            )),
            Whole,
            Answer(502, "upstream_broke"),
            "broke",
        ),
        // Slow, not wrong
        (
            "slow-trickle",
            Trickles(json_answer!("content-length: 2\r\n\r\n{}")),
            Whole,
            Answer(200, ""),
            NONE,
        ),
        (
            "slow-trickle-of-a-stream",
            Trickles(sse!("data: {\"index\":1}\n\ndata: {\"index\":2}\n\n")),
            Stream,
            Events(2),
            NONE,
        ),
        (
            "health-lies",
            Model(FaultKind::Unhealthy),
            Whole,
            Answer(200, ""),
            NONE,
        ),
    ]
}

/// An error in words that are not the gateway's.
pub(super) const NO_CODE: &str = "-";

pub(super) use sse;
