//! The way to an endpoint: a connection that was kept, else a new one.

use std::sync::Arc;
use std::time::Duration;

use pingora_core::connectors::TransportConnector;
use pingora_core::protocols::Stream;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_timeout::timeout;

use super::Endpoint;
use super::address::Resolved;
use super::answer::Answer;
use super::kept::Connection;
use super::message::Message;
use super::terms::{Terms, plain};
use crate::error::Error;

/// Connects to endpoints. One for the process.
pub struct Connector {
    transport: TransportConnector,
}

impl Connector {
    /// A connector with the system's certificates.
    pub fn new() -> Self {
        Self {
            transport: TransportConnector::new(None),
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
        let resolved = resolve(endpoint, terms).await?;
        if let Some(kept) = endpoint.kept.take(|address| resolved.has(address)) {
            match Answer::to(message, kept, terms).await {
                Err(failed) if failed.closed_early => {}
                result => return result.map_err(|failed| failed.error),
            }
        }
        self.ask_at(&resolved, endpoint, message, terms).await
    }

    /// As `ask`, over a new connection: whether it takes one is to be seen too.
    pub(super) async fn ask_anew(
        &self,
        endpoint: &Endpoint,
        message: &Message,
        terms: &Terms,
    ) -> Result<Answer, Error> {
        let resolved = resolve(endpoint, terms).await?;
        self.ask_at(&resolved, endpoint, message, terms).await
    }

    async fn ask_at(
        &self,
        resolved: &Resolved,
        endpoint: &Endpoint,
        message: &Message,
        terms: &Terms,
    ) -> Result<Answer, Error> {
        let connected = self.connect(resolved, terms.timeouts.connect).await;
        let connection = connected.map_err(|reason| {
            endpoint.address.forget();
            terms.unreachable(reason)
        })?;
        let answer = Answer::to(message, connection, terms).await;
        answer.map_err(|failed| failed.error)
    }

    /// Connects to the first address that answers; else says why the last did not.
    async fn connect(&self, resolved: &Resolved, limit: Duration) -> Result<Connection, String> {
        let mut reason = String::new();
        for (address, peer) in resolved.peers() {
            match self.connect_to(peer, limit).await {
                Ok(stream) => {
                    resolved.prefer(address);
                    return Ok(Connection { stream, address });
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
}

async fn resolve(endpoint: &Endpoint, terms: &Terms) -> Result<Arc<Resolved>, Error> {
    let resolved = endpoint.address.resolve().await;
    resolved.map_err(|error| terms.unreachable(format!("cannot resolve its name: {error}")))
}

impl Default for Connector {
    fn default() -> Self {
        Self::new()
    }
}
