//! Connections to endpoints: kept alive, used again, asked one thing at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pingora_core::ImmutStr;
use pingora_core::connectors::{ConnectorOptions, TransportConnector};
use pingora_core::protocols::Stream;
use pingora_core::upstreams::peer::{HttpPeer, Peer as _};
use pingora_timeout::timeout;

use super::Endpoint;
use super::address::Resolved;
use super::answer::Answer;
use super::message::Message;
use crate::config::Timeouts;
use crate::error::Error;

/// Idle connections kept, to all endpoints together.
const KEPT: usize = 4096;

/// How long an idle connection is kept; servers mostly close them after 60 s or more.
const IDLE: Duration = Duration::from_secs(50);

/// Connects to endpoints. One for the process; its connections outlive reloads.
pub struct Connector {
    transport: TransportConnector,
}

/// Who is asked, and how long it may take.
#[derive(Clone)]
pub(super) struct Terms {
    /// The endpoint's URL.
    pub(super) endpoint: Arc<str>,
    pub(super) timeouts: Timeouts,
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

impl Connector {
    /// No connections yet.
    pub fn new() -> Self {
        Self {
            transport: TransportConnector::new(Some(ConnectorOptions::new(KEPT))),
        }
    }

    /// Sends a message and waits for the head of its answer. A kept connection
    /// that turns out to be closed is replaced by a new one.
    pub(super) async fn ask(
        &self,
        endpoint: &Endpoint,
        message: &Message,
        terms: &Terms,
    ) -> Result<Answer, Error> {
        let resolved = endpoint.address.resolve().await;
        let resolved = resolved
            .map_err(|error| terms.unreachable(format!("cannot resolve its name: {error}")))?;
        if let Some((stream, key)) = self.kept(&resolved).await {
            match Answer::to(message, stream, key, terms).await {
                Err(failed) if failed.closed_early => {}
                result => return result.map_err(|failed| failed.error),
            }
        }
        let connected = self.connect(&resolved, terms.timeouts.connect).await;
        let (stream, key) = connected.map_err(|reason| {
            endpoint.address.forget();
            terms.unreachable(reason)
        })?;
        let answer = Answer::to(message, stream, key, terms).await;
        answer.map_err(|failed| failed.error)
    }

    async fn kept(&self, resolved: &Resolved) -> Option<(Stream, u64)> {
        for (_, peer) in resolved.peers() {
            if let Some(stream) = self.transport.reused_stream(peer).await {
                return Some((stream, peer.reuse_hash()));
            }
        }
        None
    }

    /// Connects to the first address that answers; else says why the last did not.
    async fn connect(&self, resolved: &Resolved, limit: Duration) -> Result<(Stream, u64), String> {
        let mut reason = String::new();
        for (at, peer) in resolved.peers() {
            match self.connect_to(peer, limit).await {
                Ok(stream) => {
                    resolved.prefer(at);
                    return Ok((stream, peer.reuse_hash()));
                }
                Err(error) => reason = error,
            }
        }
        Err(reason)
    }

    async fn connect_to(&self, peer: &HttpPeer, limit: Duration) -> Result<Stream, String> {
        match timeout(limit, self.transport.new_stream(peer)).await {
            Ok(stream) => stream.map_err(|error| plain(&error)),
            Err(_) => Err(format!(
                "no connection within {}",
                humantime::format_duration(limit)
            )),
        }
    }

    /// Keeps the connection of an answer for the next request, if it was read
    /// to its end.
    pub(super) async fn release(&self, answer: Answer) {
        if let Some((stream, key)) = answer.into_connection().await {
            self.transport.release_stream(stream, key, Some(IDLE));
        }
    }
}

impl Default for Connector {
    fn default() -> Self {
        Self::new()
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

impl Terms {
    /// How long is left, at most `limit`.
    pub(super) fn at_most(&self, limit: Duration) -> Duration {
        limit.min(self.deadline.saturating_duration_since(Instant::now()))
    }

    fn unreachable(&self, reason: String) -> Error {
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
