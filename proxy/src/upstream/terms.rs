//! What an endpoint is held to, and what is said when it does not hold.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pingora_core::ImmutStr;

use super::{Endpoint, Pool};
use crate::config::Timeouts;
use crate::error::Error;

/// Who is asked, and how long it may take.
#[derive(Clone)]
pub(super) struct Terms {
    /// The endpoint's URL.
    pub(super) endpoint: Arc<str>,
    pub(super) timeouts: Timeouts,
    /// A stream is asked for.
    streaming: bool,
    /// When the answer must have ended.
    pub(super) deadline: Instant,
}

/// Why there is no answer.
pub(super) struct Failed {
    pub(super) error: Error,
    /// The connection closed before an answer began. One that was kept may
    /// have been closed before it was asked.
    pub(super) closed_early: bool,
}

impl Terms {
    /// Those of a pool, for a request that was there at `since`.
    pub(super) fn new(endpoint: &Endpoint, pool: &Pool, since: Instant, streaming: bool) -> Self {
        let timeouts = pool.config.timeouts;
        Self {
            endpoint: endpoint.url.clone(),
            timeouts,
            streaming,
            deadline: since + timeouts.total,
        }
    }

    /// How long it may be silent at first: until the first token of a stream, or
    /// the head of a whole answer.
    pub(super) fn first(&self) -> Duration {
        if self.streaming {
            self.timeouts.first_token
        } else {
            self.timeouts.head
        }
    }

    /// All of it within `limit`.
    pub(super) fn within(endpoint: &Endpoint, limit: Duration) -> Self {
        Self {
            endpoint: endpoint.url.clone(),
            timeouts: Timeouts {
                connect: limit,
                first_token: limit,
                head: limit,
                idle: limit,
                total: limit,
            },
            streaming: false,
            deadline: Instant::now() + limit,
        }
    }

    /// How long is left, at most `limit`.
    pub(super) fn at_most(&self, limit: Duration, now: Instant) -> Duration {
        limit.min(self.deadline.saturating_duration_since(now))
    }

    pub(super) fn unreachable(&self, reason: String) -> Error {
        Error::Connect {
            endpoint: self.endpoint.clone(),
            reason,
        }
    }

    pub(super) fn broke(&self, reason: impl Into<String>) -> Error {
        Error::UpstreamBroke {
            endpoint: self.endpoint.clone(),
            reason: reason.into(),
        }
    }

    /// It took longer than `limit`, or than there was time in all.
    pub(super) fn late(&self, what: &'static str, limit: Duration) -> Error {
        let in_all = Instant::now() >= self.deadline;
        Error::UpstreamTimeout {
            endpoint: self.endpoint.clone(),
            what: if in_all { "finish its answer" } else { what },
            limit: if in_all { self.timeouts.total } else { limit },
        }
    }
}

/// What the system said, where it said something; else what Pingora says.
pub(super) fn plain(error: &pingora_core::Error) -> String {
    let cause = error.root_cause();
    if let Some(cause) = cause.downcast_ref::<std::io::Error>() {
        return cause.to_string();
    }
    let context = error.context.as_ref().map(ImmutStr::as_str);
    format!("{} {}", error.etype().as_str(), context.unwrap_or_default())
}
