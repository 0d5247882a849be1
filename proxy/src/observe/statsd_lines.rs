//! The StatsD protocol, a line for each number.

use std::fmt::{Display, Write};
use std::io;
use std::thread;
use std::time::Duration;

use cadence::MetricSink;

use super::exporting::Exporting;
use super::name::Spelled;

/// Bytes that are sent at once; half a receive buffer of Linux' default holds them,
/// with what the system counts beside.
const BURST: usize = 32 * 1024;

/// The pause after so many: time for the daemon to read them.
const PAUSE: Duration = Duration::from_millis(2);

/// How numbers are spelled for a daemon.
#[derive(Debug)]
pub(super) struct Spelling {
    pub(super) prefix: String,
    /// The tags of every number, where labels are tags too.
    pub(super) tags: Option<String>,
    /// Share of timings that are told.
    pub(super) sample_rate: f64,
}

/// Lines of the StatsD protocol on their way into datagrams.
pub struct Lines<'a> {
    spelling: &'a Spelling,
    udp: &'a dyn MetricSink,
    line: String,
    /// Bytes since the last pause.
    burst: usize,
    pub(super) exporting: &'a Exporting,
}

impl<'a> Lines<'a> {
    pub(super) fn new(
        spelling: &'a Spelling,
        udp: &'a dyn MetricSink,
        exporting: &'a Exporting,
    ) -> Self {
        Self {
            spelling,
            udp,
            line: String::new(),
            burst: 0,
            exporting,
        }
    }

    pub(super) fn count(&mut self, of: &Spelled, delta: u64) -> io::Result<()> {
        self.add(of, delta, "c");
        self.send()
    }

    /// A sign would make the value a change, so a negative one goes up from
    /// zero, in one write: both lines share a datagram and keep their order.
    /// DogStatsD knows no changes of gauges.
    pub(super) fn level(&mut self, of: &Spelled, value: i64) -> io::Result<()> {
        if value < 0 && self.spelling.tags.is_none() {
            self.add(of, 0, "g");
            self.line.push('\n');
        }
        self.add(of, value, "g");
        self.send()
    }

    pub(super) fn timing(&mut self, of: &Spelled, took: Duration) -> io::Result<()> {
        let millis = took.as_micros() as f64 / 1000.0;
        match self.spelling.sample_rate {
            1.0 => self.add(of, millis, "ms"),
            rate => self.add(of, millis, format_args!("ms|@{rate}")),
        }
        self.send()
    }

    fn add(&mut self, of: &Spelled, value: impl Display, unit: impl Display) {
        let Spelling { prefix, tags, .. } = self.spelling;
        let Spelled {
            whole,
            name,
            tags: own,
        } = of;
        let line = &mut self.line;
        let written = match tags.as_deref() {
            None => write!(line, "{prefix}{whole}:{value}|{unit}"),
            Some("") if own.is_empty() => write!(line, "{prefix}{name}:{value}|{unit}"),
            Some(all) => {
                let comma = if all.is_empty() || own.is_empty() {
                    ""
                } else {
                    ","
                };
                write!(line, "{prefix}{name}:{value}|{unit}|#{all}{comma}{own}")
            }
        };
        written.expect("a string takes all that is written to it");
    }

    fn send(&mut self) -> io::Result<()> {
        let sent = self.udp.emit(&self.line);
        self.burst += self.line.len();
        self.line.clear();
        if self.burst >= BURST {
            self.burst = 0;
            thread::sleep(PAUSE);
        }
        sent.map(|_bytes| ())
    }
}
