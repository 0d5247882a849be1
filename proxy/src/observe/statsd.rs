//! Tells a StatsD daemon over UDP what happened since it was last told: counts
//! as sums, levels as they are, each timing by itself, many to a datagram. A
//! thread of its own sends; requests only leave their numbers behind.

use std::fmt::{Display, Write};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use cadence::{BufferedUdpMetricSink, MetricSink};
use parking_lot::Mutex;

use super::cell::Count;
use super::registry::Metrics;
use crate::config;

/// Fits an Ethernet frame with the headers of IP and UDP and an option or two.
const DATAGRAM: usize = 1432;
/// Longest prefix, bytes: two lines of a name of the longest kind fit a datagram.
const MAX_PREFIX: usize = 128;
const FLUSH_EVERY: Duration = Duration::from_secs(1);
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

/// What the cells need to know of the export, and what it lost.
#[derive(Debug, Default)]
pub(super) struct Exporting {
    on: AtomicBool,
    flusher: OnceLock<Thread>,
    /// Uses of label sets beyond the bound.
    pub(super) folded: Arc<Count>,
    /// Timings that came too fast for StatsD.
    pub(super) timings_dropped: Arc<Count>,
    /// Datagrams that the system did not take.
    pub(super) datagrams_failed: Arc<Count>,
}

impl Exporting {
    /// Whether there is a daemon to tell.
    pub(super) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Asks for a flush before its time.
    pub(super) fn hurry(&self) {
        if let Some(flusher) = self.flusher.get() {
            flusher.unpark();
        }
    }
}

/// Tells one daemon after the other, or none.
#[derive(Debug)]
pub(super) struct Exporter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    metrics: Arc<Metrics>,
    daemon: Mutex<Option<Daemon>>,
}

impl Exporter {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            shared: Arc::new(Shared {
                metrics,
                daemon: Mutex::default(),
            }),
        }
    }

    /// See `Registry::set_statsd`.
    pub(super) fn set_daemon(&self, config: &config::Metrics) -> Result<(), StatsdError> {
        let Some(address) = &config.statsd else {
            self.stop();
            return Ok(());
        };
        let mut daemon = self.shared.daemon.lock();
        if daemon
            .as_ref()
            .is_some_and(|daemon| daemon.config == *config)
        {
            return Ok(());
        }
        let next = Daemon::open(address, config)?;
        self.ensure_flusher()
            .map_err(|source| StatsdError::System {
                address: address.clone(),
                source,
            })?;
        match daemon.replace(next) {
            Some(previous) => previous.tell(&self.shared.metrics),
            None => self
                .shared
                .metrics
                .all()
                .iter()
                .for_each(|metric| metric.skip()),
        }
        self.shared
            .metrics
            .exporting()
            .on
            .store(true, Ordering::Relaxed);
        Ok(())
    }

    /// See `Registry::shutdown`.
    pub(super) fn stop(&self) {
        let mut daemon = self.shared.daemon.lock();
        self.shared
            .metrics
            .exporting()
            .on
            .store(false, Ordering::Relaxed);
        if let Some(last) = daemon.take() {
            last.tell(&self.shared.metrics);
        }
    }

    /// Called with the daemon locked, so there is one flusher at most.
    fn ensure_flusher(&self) -> io::Result<()> {
        let exporting = self.shared.metrics.exporting();
        if exporting.flusher.get().is_some() {
            return Ok(());
        }
        let shared = Arc::downgrade(&self.shared);
        let flusher = thread::Builder::new()
            .name("statsd".to_owned())
            .spawn(move || flush_until_gone(&shared))?;
        exporting.flusher.get_or_init(|| flusher.thread().clone());
        Ok(())
    }
}

fn flush_until_gone(shared: &Weak<Shared>) {
    loop {
        thread::park_timeout(FLUSH_EVERY);
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if let Some(daemon) = &*shared.daemon.lock() {
            daemon.tell(&shared.metrics);
        }
    }
}

/// A daemon and the way to it.
#[derive(Debug)]
struct Daemon {
    config: config::Metrics,
    udp: BufferedUdpMetricSink,
}

impl Daemon {
    fn open(address: &str, config: &config::Metrics) -> Result<Self, StatsdError> {
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
    fn tell(&self, metrics: &Metrics) {
        let exporting = metrics.exporting();
        let failed_before = self.udp.stats().packets_dropped;
        let mut lines = Lines {
            prefix: &self.config.statsd_prefix,
            udp: &self.udp,
            line: String::new(),
            exporting,
        };
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

/// Lines of the StatsD protocol on their way into datagrams.
pub(super) struct Lines<'a> {
    prefix: &'a str,
    udp: &'a BufferedUdpMetricSink,
    line: String,
    pub(super) exporting: &'a Exporting,
}

impl Lines<'_> {
    pub(super) fn count(&mut self, name: &str, delta: u64) -> io::Result<()> {
        self.begin(name, delta, "c");
        self.end()
    }

    /// A sign would make the value a change, so a negative one goes up from
    /// zero, in one write: both lines share a datagram and keep their order.
    pub(super) fn level(&mut self, name: &str, value: i64) -> io::Result<()> {
        if value < 0 {
            self.begin(name, 0, "g");
            self.line.push('\n');
        }
        self.begin(name, value, "g");
        self.end()
    }

    pub(super) fn timing(&mut self, name: &str, elapsed: Duration) -> io::Result<()> {
        self.begin(name, elapsed.as_micros() as f64 / 1000.0, "ms");
        self.end()
    }

    fn begin(&mut self, name: &str, value: impl Display, unit: &str) {
        write!(self.line, "{}{name}:{value}|{unit}", self.prefix)
            .expect("a string takes all that is written to it");
    }

    fn end(&mut self) -> io::Result<()> {
        let sent = self.udp.emit(&self.line);
        self.line.clear();
        sent.map(|_bytes| ())
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
