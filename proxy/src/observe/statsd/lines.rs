//! The StatsD protocol, a line for each number.

use std::fmt::{Display, Write};
use std::io;
use std::thread;
use std::time::Duration;

use cadence::MetricSink;

use super::Exporting;

/// Bytes that are sent at once; half a receive buffer of Linux' default holds them,
/// with what the system counts beside.
const BURST: usize = 32 * 1024;

/// The pause after so many: time for the daemon to read them.
const PAUSE: Duration = Duration::from_millis(2);

/// Lines of the StatsD protocol on their way into datagrams.
pub struct Lines<'a> {
    prefix: &'a str,
    udp: &'a dyn MetricSink,
    line: String,
    /// Bytes since the last pause.
    burst: usize,
    pub(in crate::observe) exporting: &'a Exporting,
}

impl<'a> Lines<'a> {
    pub(super) fn new(prefix: &'a str, udp: &'a dyn MetricSink, exporting: &'a Exporting) -> Self {
        Self {
            prefix,
            udp,
            line: String::new(),
            burst: 0,
            exporting,
        }
    }

    pub(in crate::observe) fn count(&mut self, name: &str, delta: u64) -> io::Result<()> {
        self.begin(name, delta, "c");
        self.end()
    }

    /// A sign would make the value a change, so a negative one goes up from
    /// zero, in one write: both lines share a datagram and keep their order.
    pub(in crate::observe) fn level(&mut self, name: &str, value: i64) -> io::Result<()> {
        if value < 0 {
            self.begin(name, 0, "g");
            self.line.push('\n');
        }
        self.begin(name, value, "g");
        self.end()
    }

    pub(in crate::observe) fn timing(&mut self, name: &str, elapsed: Duration) -> io::Result<()> {
        self.begin(name, elapsed.as_micros() as f64 / 1000.0, "ms");
        self.end()
    }

    fn begin(&mut self, name: &str, value: impl Display, unit: &str) {
        write!(self.line, "{}{name}:{value}|{unit}", self.prefix)
            .expect("a string takes all that is written to it");
    }

    fn end(&mut self) -> io::Result<()> {
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
