//! One request and its answer, as a client sees them.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result};

use super::events::{End, Events};
use crate::wire::{Framing, MAX_FIELDS, Wire, field};

/// What a client saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// How it ended.
    pub(crate) end: End,
    /// When the first token came; of streams only.
    pub(crate) first: Option<Instant>,
    /// When the last byte came.
    pub(crate) last: Instant,
    /// Tokens that came one by one; 0 where the answer came whole.
    pub(crate) tokens: u32,
}

impl Seen {
    fn failed() -> Self {
        Self {
            end: End::Failed,
            first: None,
            last: Instant::now(),
            tokens: 0,
        }
    }
}

/// Sends a request on an idle connection, or a new one, and reads the answer.
/// Hands back the connection if it can be used again.
pub(crate) async fn exchange(
    idle: Option<Wire>,
    address: SocketAddr,
    request: &[u8],
) -> (Seen, Option<Wire>) {
    if let Some(mut wire) = idle
        // An idle connection may have been closed meanwhile; a new one tells the truth.
        && let Ok(head) = ask(&mut wire, request).await
    {
        return read(wire, head).await;
    }
    let Ok(mut wire) = Wire::connect(address).await else {
        return (Seen::failed(), None);
    };
    match ask(&mut wire, request).await {
        Ok(head) => read(wire, head).await,
        Err(_) => (Seen::failed(), None),
    }
}

async fn ask(wire: &mut Wire, request: &[u8]) -> Result<Head> {
    wire.send(request).await?;
    let head = wire.head(parse).await?;
    head.context("connection closed before the answer")
}

async fn read(mut wire: Wire, head: Head) -> (Seen, Option<Wire>) {
    let Some(framing) = head.framing else {
        return (Seen::failed(), None);
    };
    let mut events = Events::new(head.streams);
    let whole = wire.body(framing, |piece| events.push(piece)).await.is_ok();
    let end = match head.status {
        _ if !whole => End::Failed,
        200 => events.end(),
        429 | 503 => End::Refused {
            retry_after: head.retry_after,
        },
        _ => End::Failed,
    };
    let seen = Seen {
        end,
        first: events.first,
        last: Instant::now(),
        tokens: events.tokens,
    };
    (seen, (whole && !head.closes).then_some(wire))
}

/// A request for something small, such as a fault or counters, and its answer's body.
pub(crate) async fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> Result<String> {
    let mut wire = Wire::connect(address).await?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: bench.local\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let head = ask(&mut wire, request.as_bytes()).await?;
    let framing = head.framing.context("an answer without framing")?;
    let mut said = Vec::new();
    wire.body(framing, |piece| said.extend_from_slice(piece))
        .await?;
    let said = String::from_utf8(said)?;
    anyhow::ensure!(
        head.status == 200,
        "{method} {path}: status {}: {said}",
        head.status
    );
    Ok(said)
}

struct Head {
    status: u16,
    framing: Option<Framing>,
    streams: bool,
    retry_after: bool,
    closes: bool,
}

fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(bytes)? else {
        return Ok(None);
    };
    let is = |name, value: &[u8]| {
        field(head.headers, name).is_some_and(|it| {
            it.get(..value.len())
                .is_some_and(|it| it.eq_ignore_ascii_case(value))
        })
    };
    Ok(Some((
        length,
        Head {
            status: head.code.context("a head without status")?,
            framing: Framing::of(head.headers)?,
            streams: is("content-type", b"text/event-stream"),
            retry_after: field(head.headers, "retry-after").is_some(),
            closes: is("connection", b"close"),
        },
    )))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// What becomes of an answer, and whether the connection can be used again.
    async fn answered(answer: &str) -> (End, u32, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async {
            let (mut peer, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 1_024];
            let _ = peer.read(&mut buffer).await.unwrap();
            peer.write_all(answer.as_bytes()).await.unwrap();
        };
        let ((seen, wire), ()) =
            tokio::join!(exchange(None, address, b"POST / HTTP/1.1\r\n\r\n"), serve);
        (seen.end, seen.tokens, wire.is_some())
    }

    fn whole(status: &str, fields: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\n{fields}content-length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    #[tokio::test]
    async fn answers_are_told_from_refusals_and_failures() {
        let refused = |retry_after| End::Refused { retry_after };
        for (answer, expected) in [
            (
                whole("200 OK", "", r#"{"generated_text":"x"}"#),
                (End::Answered, 0, true),
            ),
            (
                whole("503 Busy", "retry-after: 1\r\n", "{}"),
                (refused(true), 0, true),
            ),
            (
                whole("429 Busy", "connection: close\r\n", "{}"),
                (refused(false), 0, false),
            ),
            (whole("500 Oh", "", "{}"), (End::Failed, 0, true)),
            (
                whole("200 OK", "", r#"{"error":"no"}"#),
                (End::Failed, 0, true),
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned(),
                (End::Failed, 0, false),
            ),
        ] {
            assert_eq!(answered(&answer).await, expected, "{answer}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_a_failure() {
        let address = crate::server::free_address().unwrap();
        let (seen, wire) = exchange(None, address, b"GET / HTTP/1.1\r\n\r\n").await;
        assert_eq!(seen.end, End::Failed);
        assert!(wire.is_none());
    }
}
