//! `system`: log, clocks and chance.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use wasmtime::Result;

use super::super::bindings::system::{Host, Level};
use super::super::log::cut;
use super::super::state::State;
use super::micros;

/// What filters' lines are filed under.
const TARGET: &str = "headworks::filter";

/// From where `monotonic-us` counts.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Host for State {
    fn log(&mut self, level: Level, message: String) -> Result<()> {
        let line = cut(&message);
        if level == Level::Error {
            self.last_words = Some(line.to_owned());
        }
        let filter = &*self.scope.name;
        let Some(leave) = self.scope.log.ask(Instant::now()) else {
            self.scope.log_dropped.add(1);
            return Ok(());
        };
        if leave.dropped > 0 {
            tracing::warn!(target: TARGET, filter, dropped = leave.dropped, "the filter logs too much; lines were dropped");
        }
        match level {
            Level::Debug => tracing::debug!(target: TARGET, filter, "{line}"),
            Level::Info => tracing::info!(target: TARGET, filter, "{line}"),
            Level::Warn => tracing::warn!(target: TARGET, filter, "{line}"),
            Level::Error => tracing::error!(target: TARGET, filter, "{line}"),
        }
        Ok(())
    }

    fn now_ms(&mut self) -> Result<u64> {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Ok(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn monotonic_us(&mut self) -> Result<u64> {
        Ok(micros(START.elapsed()))
    }

    fn random_u64(&mut self) -> Result<u64> {
        Ok(rand::random())
    }
}
