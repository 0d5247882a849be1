//! How long a call may take: CPU time of its thread. On a busy machine a thread
//! may wait longer for a core than a filter may run, which is not the filter's
//! fault.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::UpdateDeadline;

/// What is left of the time of one call. Reading the clock is a system call,
/// so it is read first when a tick finds the call still running; nearly all
/// calls are over by then. A call may thus overstay by a look and a tick, 30 ms.
pub(super) struct Deadline {
    budget: Duration,
    /// The clock at the first tick.
    since: Option<Duration>,
}

impl Deadline {
    /// The deadline of a call that begins now.
    pub(super) fn new(budget: Duration) -> Self {
        Self {
            budget,
            since: None,
        }
    }

    /// Judges at a tick whether the call may go on to the next.
    pub(super) fn judge(&mut self) -> UpdateDeadline {
        let now = cpu_time();
        let used = now.saturating_sub(*self.since.get_or_insert(now));
        if used >= self.budget {
            UpdateDeadline::Interrupt
        } else {
            UpdateDeadline::Continue(1)
        }
    }
}

/// CPU time that this thread has had.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
