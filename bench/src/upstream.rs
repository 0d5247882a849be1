//! The model server behind the proxies: TGI's answers, fixed, as fast as can
//! be, each event of a stream in a write of its own.

mod answers;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::wire::{Framing, MAX_FIELDS, Wire, field};
use crate::workload::{EVENTS, PACE_FIELD};

/// Serves until the process ends.
pub(crate) async fn serve(listen: SocketAddr) -> Result<Infallible> {
    let listener = TcpListener::bind(listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {listen}"))?;
    loop {
        let (stream, client) = listener.accept().await.context("cannot accept")?;
        tokio::spawn(async move {
            if let Err(error) = connection(stream).await {
                eprintln!("connection from {client} ended: {error:#}");
            }
        });
    }
}

async fn connection(stream: TcpStream) -> Result<()> {
    let mut wire = Wire::new(stream)?;
    let whole = answers::whole();
    while let Some(request) = wire.head(parse).await? {
        wire.body(request.body, |_| {}).await?;
        match request.route {
            Route::Whole => wire.send(&whole).await?,
            Route::Stream { pace } => stream_events(&mut wire, pace).await?,
            Route::Health => wire.send(answers::HEALTHY).await?,
            Route::Unknown => wire.send(answers::NOT_FOUND).await?,
        }
    }
    Ok(())
}

async fn stream_events(wire: &mut Wire, pace: Duration) -> Result<()> {
    wire.send(answers::STREAM_HEAD).await?;
    let mut chunk = Vec::with_capacity(512);
    for index in 1..=EVENTS {
        if index > 1 {
            sleep(pace).await;
        }
        answers::event(&mut chunk, index)?;
        wire.send(&chunk).await?;
    }
    wire.send(answers::LAST_CHUNK).await
}

#[derive(Debug, PartialEq)]
enum Route {
    Whole,
    Stream { pace: Duration },
    Health,
    Unknown,
}

#[derive(Debug)]
struct Request {
    route: Route,
    body: Framing,
}

fn parse(bytes: &[u8]) -> Result<Option<(usize, Request)>> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(bytes)? else {
        return Ok(None);
    };
    let route = match (head.method, head.path) {
        (Some("POST"), Some("/generate")) => Route::Whole,
        // Spans of a gateway that traces.
        (Some("POST"), Some("/v1/traces")) => Route::Health,
        (Some("POST"), Some("/generate_stream")) => Route::Stream {
            pace: pace(head.headers)?,
        },
        (Some("GET"), Some("/health" | "/metrics")) => Route::Health,
        _ => Route::Unknown,
    };
    let body = Framing::of(head.headers)?.unwrap_or(Framing::Length(0));
    Ok(Some((length, Request { route, body })))
}

fn pace(fields: &[httparse::Header<'_>]) -> Result<Duration> {
    let Some(value) = field(fields, PACE_FIELD) else {
        bail!("a stream was asked without {PACE_FIELD}")
    };
    let millis = std::str::from_utf8(value)?.parse();
    Ok(Duration::from_millis(
        millis.with_context(|| format!("bad {PACE_FIELD}"))?,
    ))
}
