//! One StatsD daemon and the way to it: UDP, many lines to a datagram.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use cadence::{BufferedUdpMetricSink, MetricSink};

use super::lines::Lines;
use crate::config;
use crate::observe::metrics::Metrics;

/// Fits an Ethernet frame with the headers of IP and UDP and an option or two.
const DATAGRAM: usize = 1432;
/// Longest prefix, bytes: two lines of a name of the longest kind fit a datagram.
const MAX_PREFIX: usize = 128;
/// How often the daemon's host name is looked up again.
const RESOLVE_EVERY: Duration = Duration::from_secs(60);

/// A StatsD daemon that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StatsdError {
    /// The prefix would garble names.
    #[error(
        "statsd prefix `{0}` must be at most {MAX_PREFIX} letters, digits, `.`, `-` and `_`, such as `headworks.`"
    )]
    Prefix(String),
    /// The address is malformed or its host is unknown.
    #[error("statsd address `{address}` does not resolve, write it as host:port: {source}")]
    Address {
        /// As configured.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The system gave no socket or thread.
    #[error("no socket or thread to send to statsd `{address}` with: {source}")]
    System {
        /// As configured.
        address: String,
        /// Why.
        source: io::Error,
    },
}

/// A daemon and the way to it.
#[derive(Debug)]
pub(super) struct Daemon {
    pub(super) config: config::Metrics,
    udp: BufferedUdpMetricSink,
}

impl Daemon {
    /// Looks the daemon up.
    pub(super) fn open(address: &str, config: &config::Metrics) -> Result<Self, StatsdError> {
        check_prefix(&config.statsd_prefix)?;
        let host = Host(address.to_owned());
        let unresolved = |source| StatsdError::Address {
            address: address.to_owned(),
            source,
        };
        let first = host.to_socket_addrs().map_err(unresolved)?.next();
        let first = first.ok_or_else(|| unresolved(io::ErrorKind::NotFound.into()))?;
        let system = |source| StatsdError::System {
            address: address.to_owned(),
            source,
        };
        let socket = UdpSocket::bind(any_port_like(first)).map_err(system)?;
        let mut builder = BufferedUdpMetricSink::builder().with_capacity(DATAGRAM);
        // A literal address stays what it is and needs no thread to look it up.
        if address.parse::<SocketAddr>().is_err() {
            builder = builder.with_resolver_period(RESOLVE_EVERY);
        }
        let udp = builder
            .build(host, socket)
            .map_err(|error| unresolved(io::Error::other(error)))?;
        Ok(Self {
            config: config.clone(),
            udp,
        })
    }

    /// Tells the daemon what it has not been told.
    pub(super) fn tell(&self, metrics: &Metrics) {
        let exporting = metrics.exporting();
        let failed_before = self.udp.stats().packets_dropped;
        let mut lines = Lines::new(&self.config.statsd_prefix, &self.udp, exporting);
        metrics
            .all()
            .iter()
            .for_each(|metric| metric.export(&mut lines));
        // What this leaves in the buffer goes with the next flush.
        let _ = self.udp.flush();
        exporting
            .datagrams_failed
            .add(self.udp.stats().packets_dropped - failed_before);
    }
}

/// Looks a name up with IPv4 first, where daemons listen that know only one.
#[derive(Debug)]
struct Host(String);

impl ToSocketAddrs for Host {
    type Iter = std::vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let mut addresses: Vec<_> = self.0.to_socket_addrs()?.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        Ok(addresses.into_iter())
    }
}

fn any_port_like(peer: SocketAddr) -> SocketAddr {
    match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

fn check_prefix(prefix: &str) -> Result<(), StatsdError> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if prefix.len() <= MAX_PREFIX && prefix.chars().all(harmless) {
        return Ok(());
    }
    Err(StatsdError::Prefix(prefix.to_owned()))
}
