//! What Headworks may cost, and whether it keeps to it.

use serde::Serialize;

use crate::figures::Row;
use crate::memory::Memory;
use crate::subject::Subject;
use crate::workload::Workload;

/// One limit and what was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Bar {
    /// What is limited.
    pub(crate) name: &'static str,
    /// The most it may be.
    pub(crate) limit: f64,
    /// Of both numbers.
    pub(crate) unit: &'static str,
    /// The median; `None` if this run did not measure it.
    pub(crate) measured: Option<f64>,
}

impl Bar {
    /// Whether it is known to hold.
    pub(crate) fn met(&self) -> bool {
        self.measured.is_some_and(|measured| measured <= self.limit)
    }

    /// The verdict, to people.
    pub(crate) fn verdict(&self) -> &'static str {
        match self.measured {
            None => "not measured",
            Some(_) if self.met() => "pass",
            Some(_) => "FAIL",
        }
    }
}

/// Holds the figures against every bar.
pub(crate) fn judge(rows: &[Row], memory: &[Memory]) -> Vec<Bar> {
    use Subject::{Headworks0, Headworks4, Observed, Unobserved};
    const PLAIN: &str = "x plain Pingora";
    let row = |workload, subject| {
        rows.iter()
            .find(|row| row.workload == workload && row.subject == subject)
    };
    let ratio = |workload, subject| Some(row(workload, subject)?.ratio?.median);
    // Of the medians: rounds of the two are not next to each other.
    let observing = || {
        let of = |subject| Some(row(Workload::Small, subject)?.ratio?.median);
        Some(of(Observed)? / of(Unobserved)?)
    };
    let delay = row(Workload::Delay, Headworks4).and_then(|row| Some(row.added_p99?.median));
    let memory = memory.iter().find(|memory| memory.subject == Headworks4);
    let idle = memory.map(|memory| memory.idle as f64 / 1e6);
    let open_stream = memory.and_then(|memory| Some(memory.open_stream? / 1e3));
    [
        (
            "CPU per small request, 0 filters",
            0.75,
            PLAIN,
            ratio(Workload::Small, Headworks0),
        ),
        (
            "CPU per small request, 4 filters",
            0.95,
            PLAIN,
            ratio(Workload::Small, Headworks4),
        ),
        (
            "CPU per stream, 4 filters",
            1.0,
            PLAIN,
            ratio(Workload::Streams, Headworks4),
        ),
        (
            "CPU per small request, observed",
            1.1,
            "x unobserved",
            observing(),
        ),
        (
            "added delay of an event (P99), 4 filters",
            100.0,
            "us",
            delay,
        ),
        ("memory when idle, 4 filters", 60.0, "MB", idle),
        (
            "memory of an open stream, 4 filters",
            32.0,
            "KB",
            open_stream,
        ),
    ]
    .map(|(name, limit, unit, measured)| Bar {
        name,
        limit,
        unit,
        measured,
    })
    .into()
}
