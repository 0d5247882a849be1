//! One client: sends a request, reads the answer, times and checks it.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::Seen;
use super::answer::Answer;
use crate::wire::{Framing, MAX_FIELDS, Wire};
use crate::workload::Expected;

/// A client with an open connection.
#[derive(Debug)]
pub(crate) struct Client {
    wire: Wire,
}

impl Client {
    /// Opens the connection.
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self> {
        Ok(Self {
            wire: Wire::connect(address).await?,
        })
    }

    /// One request and its answer, checked.
    pub(crate) async fn exchange(
        &mut self,
        request: &[u8],
        expected: Expected,
        seen: &mut Seen,
    ) -> Result<()> {
        let begun = Instant::now();
        let framing = self.ask(request).await?;
        let mut answer = Answer::begin(expected);
        self.wire
            .body(framing, |piece| {
                seen.pieces += 1;
                answer.push(piece, &mut seen.event);
            })
            .await?;
        let took = u64::try_from(begun.elapsed().as_nanos())?;
        seen.exchange.saturating_record(took);
        answer.end()
    }

    /// Sends a request and reads the head of its answer, which must be a success.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Framing> {
        self.wire.send(request).await?;
        let head = self
            .wire
            .head(parse)
            .await?
            .context("connection closed before the answer")?;
        ensure!(head.status == 200, "status {} instead of 200", head.status);
        head.framing
            .context("an answer without content-length that is not chunked")
    }

    /// Waits for the first event of a stream and leaves the stream open.
    pub(crate) async fn first_event(&mut self, request: &[u8]) -> Result<()> {
        let framing = self.ask(request).await?;
        ensure!(framing == Framing::Chunked, "a stream that is not chunked");
        ensure!(
            self.wire.chunk(&mut |_| {}).await?,
            "a stream without events"
        );
        Ok(())
    }
}

struct Head {
    status: u16,
    framing: Option<Framing>,
}

fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(bytes)? else {
        return Ok(None);
    };
    let status = head.code.context("a head without status")?;
    Ok(Some((
        length,
        Head {
            status,
            framing: Framing::of(head.headers)?,
        },
    )))
}
