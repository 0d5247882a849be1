//! How an exchange ended: what filters learn, metrics count and the log tells.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// How an exchange ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// When the request's head had been read.
    pub started: Instant,
    /// When its last byte had been read.
    pub received: Instant,
    /// The status sent; 0 when there was none.
    pub status: u16,
    /// Why it ended.
    pub end: End,
    /// The endpoint that answered, as a URL.
    pub endpoint: Option<Arc<str>>,
    /// Prompt tokens, if the upstream told.
    pub input_tokens: Option<u32>,
    /// Generated tokens, as the upstream told or its events were counted.
    pub output_tokens: u32,
    /// What the gateway itself took before it asked the first endpoint: filters,
    /// limits and placing, without waiting for a place.
    pub own_time: Option<Duration>,
    /// When the first token came.
    pub first_token: Option<Instant>,
    /// Time spent waiting for a place.
    pub queued: Duration,
    /// From `started` to the answer's last byte; set at the end.
    pub latency: Duration,
}

/// Why an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The upstream's answer went out whole.
    Ok,
    /// A filter or a limit refused it.
    Rejected,
    /// The client sent something unusable.
    BadRequest,
    /// The client left.
    ClientGone,
    /// The upstream took too long.
    Timeout,
    /// The upstream failed or answered with an error.
    UpstreamError,
    /// A filter or the gateway failed.
    Internal,
}

impl End {
    /// The name used in metrics, logs and by filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::BadRequest => "bad-request",
            Self::ClientGone => "client-gone",
            Self::Timeout => "timeout",
            Self::UpstreamError => "upstream-error",
            Self::Internal => "internal",
        }
    }
}

impl Outcome {
    /// That of an exchange whose request was just read.
    pub fn begun(started: Instant) -> Self {
        Self {
            started,
            received: Instant::now(),
            status: 0,
            end: End::Internal,
            endpoint: None,
            input_tokens: None,
            output_tokens: 0,
            own_time: None,
            first_token: None,
            queued: Duration::ZERO,
            latency: Duration::ZERO,
        }
    }

    /// An endpoint is asked now; only the first one says what we took until then.
    pub fn asks(&mut self) {
        let took = || self.received.elapsed().saturating_sub(self.queued);
        self.own_time = self.own_time.or_else(|| Some(took()));
    }

    /// From the request's last byte to the first token.
    pub fn ttft(&self) -> Option<Duration> {
        Some(self.first_token?.duration_since(self.received))
    }
}
