//! One StatsD daemon and the way to it: UDP, many lines to a datagram.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use cadence::{BufferedUdpMetricSink, MetricSink};

use crate::config::{self, StatsdDialect};
use crate::observe::metrics::Metrics;
use crate::observe::name::{Kind, is_word, tag};
use crate::observe::statsd_lines::{Lines, Spelling};

/// Fits an Ethernet frame with the headers of IP and UDP and an option or two.
const DATAGRAM: usize = 1432;
/// Longest prefix, bytes: two lines of a name of the longest kind fit a datagram.
const MAX_PREFIX: usize = 128;
/// Longest tags of every number together, bytes.
const MAX_TAGS: usize = 200;
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
    /// The tags would garble lines.
    #[error(
        "statsd tag `{0}` must be a word of letters, digits and `_` with a value of letters, digits, `-` and `_`, and all together at most {MAX_TAGS} bytes"
    )]
    Tag(String),
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
    spelling: Spelling,
    udp: BufferedUdpMetricSink,
}

impl Daemon {
    /// Looks the daemon up.
    pub(super) fn open(address: &str, config: &config::Metrics) -> Result<Self, StatsdError> {
        check_prefix(&config.statsd_prefix)?;
        let spelling = Spelling {
            prefix: config.statsd_prefix.clone(),
            tags: match config.statsd_dialect {
                StatsdDialect::Statsd => None,
                StatsdDialect::Dogstatsd => Some(tags(&config.statsd_tags)?),
            },
            sample_rate: config.statsd_sample_rate,
        };
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
            spelling,
            udp,
        })
    }

    /// Tells the daemon what it has not been told.
    pub(super) fn tell(&self, metrics: &Metrics) {
        let exporting = metrics.exporting();
        let failed_before = self.udp.stats().packets_dropped;
        let mut lines = Lines::new(&self.spelling, &self.udp, exporting);
        // Timings are many and may be lost; counts go before they fill the way.
        let (timings, others): (Vec<_>, Vec<_>) = metrics
            .all()
            .into_iter()
            .partition(|metric| metric.kind() == Kind::Timer);
        for metric in others.iter().chain(&timings) {
            metric.export(&mut lines);
        }
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

/// Tags of every number, as lines have them.
fn tags(tags: &BTreeMap<String, String>) -> Result<String, StatsdError> {
    let mut all = Vec::new();
    for (name, value) in tags {
        let spelled = tag(name, value);
        if !is_word(name) || spelled != format!("{name}:{value}") {
            return Err(StatsdError::Tag(format!("{name}:{value}")));
        }
        all.push(spelled);
    }
    let all = all.join(",");
    match all.len() <= MAX_TAGS {
        true => Ok(all),
        false => Err(StatsdError::Tag(all)),
    }
}
