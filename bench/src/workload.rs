//! What clients send: each workload is one request, repeated.

use std::time::Duration;

use anyhow::Result;
use nix::time::ClockId;
use serde::Serialize;
use serde_json::json;

use crate::options::{Options, UpstreamKind};

/// Events of a stream.
pub(crate) const EVENTS: usize = 64;
/// The request field that tells our model server how many milliseconds to wait
/// between two events.
pub(crate) const PACE_FIELD: &str = "x-pace-ms";

const SENTENCES: [&str; 4] = [
    "Read the report below and answer in two sentences.\n",
    "The \"west\" line carried 4,310 tonnes in March, 6 % more than a year before. ",
    "Maintenance closed the tunnel for nine nights; trains went by way of the valley instead. ",
    "Nobody was hurt when a signal failed on the 17th, but 23 trains were late.\n\n",
];

/// What an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A JSON object with generated text.
    Whole,
    /// As many events as a stream has, the last one with the generated text.
    Stream,
}

/// One kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Workload {
    /// `/generate` with a body of about 1 KB.
    Small,
    /// `/generate` with a prompt of 16 KB.
    Large,
    /// `/generate_stream`, 64 events 1 ms apart: a busy proxy.
    Streams,
    /// `/generate_stream`, 64 events 2 ms apart on four connections: what an
    /// event is delayed by a proxy that is not busy.
    Delay,
}

impl Workload {
    /// All of them, in the order in which they are run.
    pub(crate) const ALL: [Self; 4] = [Self::Small, Self::Large, Self::Streams, Self::Delay];

    /// Those that the model server behind the proxies can take part in.
    pub(crate) fn possible(kind: UpstreamKind) -> &'static [Self] {
        match kind {
            UpstreamKind::Fixed => &Self::ALL,
            // Its events do not carry their time.
            UpstreamKind::Stub => &[Self::Small, Self::Large, Self::Streams],
        }
    }

    /// What it is, to people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Small => "small JSON POST, 1 KB",
            Self::Large => "JSON POST, 16 KB prompt",
            Self::Streams => "SSE stream of 64 events",
            Self::Delay => "SSE stream of 64 events, idle proxy",
        }
    }

    /// What one exchange is called.
    pub(crate) fn unit(self) -> &'static str {
        match self.expected() {
            Expected::Whole => "request",
            Expected::Stream => "stream",
        }
    }

    /// What a right answer is.
    pub(crate) fn expected(self) -> Expected {
        match self {
            Self::Small | Self::Large => Expected::Whole,
            Self::Streams | Self::Delay => Expected::Stream,
        }
    }

    /// Keep-alive connections, each with one exchange at a time.
    pub(crate) fn connections(self, options: &Options) -> u16 {
        if self == Self::Delay {
            4
        } else {
            options.connections
        }
    }

    /// Exchanges to measure for each proxy and round.
    pub(crate) fn exchanges(self, options: &Options) -> u32 {
        let requests = options.requests();
        match self {
            Self::Small => requests,
            Self::Large => requests / 2,
            Self::Streams => requests / 40,
            // No more than shows what one event in a hundred suffers.
            Self::Delay => requests / 400,
        }
    }

    /// The request, ready to send.
    pub(crate) fn request(self) -> Vec<u8> {
        match self {
            Self::Small => post("/generate", 900, None),
            Self::Large => post("/generate", 16 * 1024, None),
            Self::Streams => post("/generate_stream", 900, Some(Duration::from_millis(1))),
            Self::Delay => post("/generate_stream", 900, Some(Duration::from_millis(2))),
        }
    }
}

/// A request for a stream that stays open after its first event.
pub(crate) fn held_stream() -> Vec<u8> {
    post("/generate_stream", 900, Some(Duration::from_secs(3_600)))
}

/// A request in TGI's dialect with a prompt of `prompt` bytes. `x-sim-out` has
/// `headworks-stub` answer with as many tokens as our own model server does.
fn post(path: &str, prompt: usize, pace: Option<Duration>) -> Vec<u8> {
    let text: String = SENTENCES
        .iter()
        .flat_map(|sentence| sentence.chars())
        .cycle()
        .take(prompt)
        .collect();
    let body = json!({
        "inputs": text,
        "parameters": { "max_new_tokens": EVENTS, "temperature": 0.7, "top_p": 0.95, "details": true },
    })
    .to_string();
    let pace = pace
        .map(|pace| format!("{PACE_FIELD}: {}\r\n", pace.as_millis()))
        .unwrap_or_default();
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench.local\r\nuser-agent: headworks-bench\r\naccept: */*\r\n\
        x-model-id: bench\r\nx-sim-out: {EVENTS}\r\ncontent-type: application/json\r\n{pace}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Nanoseconds on a clock that all processes of this machine share.
pub(crate) fn now_ns() -> Result<u64> {
    let now = ClockId::CLOCK_MONOTONIC.now()?;
    Ok(u64::try_from(Duration::from(now).as_nanos())?)
}
