//! Connections to endpoints: kept alive, used again, asked one thing at a time.

use std::time::Duration;

use pingora_core::connectors::{ConnectorOptions, TransportConnector};
use pingora_core::protocols::Stream;
use pingora_core::upstreams::peer::{HttpPeer, Peer as _};
use pingora_timeout::timeout;

use super::Endpoint;
use super::address::Resolved;
use super::answer::Answer;
use super::message::Message;
use super::terms::{Terms, plain};
use crate::error::Error;

/// Idle connections kept, to all endpoints together.
const KEPT: usize = 4096;

/// How long an idle connection is kept; servers mostly close them after 60 s or more.
const IDLE: Duration = Duration::from_secs(50);

/// Connects to endpoints. One for the process; its connections outlive reloads.
pub struct Connector {
    transport: TransportConnector,
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
