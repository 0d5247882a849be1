//! How a mock exchange ends.

use std::time::Duration;

use crate::End;

/// The end of an exchange, for [`Answer::complete`](super::Answer::complete).
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// let ended = testing::Ended::ok().tokens(120, 45).latency(Duration::from_millis(800));
/// let timed_out = testing::Ended::by(End::Timeout);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Ended {
    pub(super) end: End,
    pub(super) status: u16,
    pub(super) endpoint: Option<String>,
    pub(super) input_tokens: u32,
    pub(super) output_tokens: u32,
    pub(super) ttft: Option<Duration>,
    pub(super) latency: Duration,
    pub(super) queued: Duration,
}

impl Ended {
    /// The answer reached the client whole, with status 200.
    pub fn ok() -> Self {
        Self::by(End::Ok)
    }

    /// Another end, with the status that usually goes with it.
    pub fn by(end: End) -> Self {
        let status = match end {
            End::Ok => 200,
            End::Rejected => 403,
            End::ClientGone => 0,
            End::Timeout => 504,
            End::UpstreamError => 502,
            End::BadRequest => 400,
            End::Internal | End::Unknown => 500,
        };
        Self {
            end,
            status,
            endpoint: None,
            input_tokens: 0,
            output_tokens: 0,
            ttft: None,
            latency: Duration::ZERO,
            queued: Duration::ZERO,
        }
    }

    /// The status that the client got; 0 for none.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The URL of the endpoint that answered.
    pub fn endpoint(mut self, url: &str) -> Self {
        self.endpoint = Some(url.to_owned());
        self
    }

    /// Tokens of the prompt and of the answer.
    pub fn tokens(mut self, input: u32, output: u32) -> Self {
        self.input_tokens = input;
        self.output_tokens = output;
        self
    }

    /// From the request's last byte to the first token.
    pub fn ttft(mut self, ttft: Duration) -> Self {
        self.ttft = Some(ttft);
        self
    }

    /// From the request's first byte to the answer's last.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Time spent queued in the gateway.
    pub fn queued(mut self, queued: Duration) -> Self {
        self.queued = queued;
        self
    }
}
