//! Where an endpoint is: its name resolved, remembered for a while, and the
//! address that answered last tried first.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use pingora_core::upstreams::peer::HttpPeer;

use crate::config;

/// How long a resolved name is believed.
const BELIEVED: Duration = Duration::from_secs(30);

/// An endpoint's name and port, and what they resolved to.
#[derive(Debug)]
pub(super) struct Address {
    config: config::Endpoint,
    resolved: ArcSwapOption<Resolved>,
}

/// The addresses of a name; never none.
#[derive(Debug)]
pub(super) struct Resolved {
    peers: Vec<(SocketAddr, HttpPeer)>,
    /// The one that answered last.
    preferred: AtomicUsize,
    at: Instant,
}

impl Address {
    pub(super) fn new(config: config::Endpoint) -> Self {
        Self {
            config,
            resolved: ArcSwapOption::empty(),
        }
    }

    pub(super) fn config(&self) -> &config::Endpoint {
        &self.config
    }

    /// The addresses. When the name does not resolve any more, the last known.
    pub(super) async fn resolve(&self) -> io::Result<Arc<Resolved>> {
        let known = self.resolved.load_full();
        if let Some(known) = &known
            && known.at.elapsed() < BELIEVED
        {
            return Ok(known.clone());
        }
        match self.look_up().await {
            Ok(found) => {
                self.resolved.store(Some(found.clone()));
                Ok(found)
            }
            Err(error) => known.ok_or(error),
        }
    }

    /// Looks the name up again next time.
    pub(super) fn forget(&self) {
        self.resolved.store(None);
    }

    async fn look_up(&self) -> io::Result<Arc<Resolved>> {
        let config::Endpoint {
            tls, host, port, ..
        } = &self.config;
        let found = tokio::net::lookup_host((host.as_str(), *port)).await?;
        let peer = |address| (address, HttpPeer::new(address, *tls, host.clone()));
        let peers: Vec<_> = found.map(peer).collect();
        if peers.is_empty() {
            return Err(io::Error::other(format!("`{host}` has no address")));
        }
        Ok(Arc::new(Resolved {
            peers,
            preferred: AtomicUsize::new(0),
            at: Instant::now(),
        }))
    }
}

impl Resolved {
    /// The addresses, the one that answered last first.
    pub(super) fn peers(&self) -> impl Iterator<Item = (SocketAddr, &HttpPeer)> {
        let first = self.preferred.load(Relaxed);
        let (before, after) = self.peers.split_at(first);
        after
            .iter()
            .chain(before)
            .map(|(address, peer)| (*address, peer))
    }

    /// Whether this is one of the addresses.
    pub(super) fn has(&self, address: SocketAddr) -> bool {
        self.peers.iter().any(|(known, _)| *known == address)
    }

    /// This address answers.
    pub(super) fn prefer(&self, address: SocketAddr) {
        if let Some(at) = self.peers.iter().position(|(known, _)| *known == address) {
            self.preferred.store(at, Relaxed);
        }
    }
}
