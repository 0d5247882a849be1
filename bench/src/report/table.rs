//! The tables for people.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::Report;
use crate::spread::Spread;
use crate::workload::Workload;

const UNKNOWN: &str = "-";

/// CPU time and latency under one workload; `None` if it was not run.
pub(crate) fn figures(report: &Report, workload: Workload) -> Option<Table> {
    let mut rows = report
        .rows
        .iter()
        .filter(|row| row.workload == workload)
        .peekable();
    rows.peek()?;
    let cpu = format!("CPU us a {}", workload.unit());
    let header = [
        "through",
        &cpu,
        "x plain Pingora",
        "P50 us",
        "P99 us",
        "added P99 us",
        "pieces",
    ];
    let mut table = right_aligned(header);
    for row in rows {
        table.add_row([
            row.subject.title().into(),
            median(row.cpu, 1),
            spread(row.ratio),
            median(Some(row.p50), 0),
            median(Some(row.p99), 0),
            median(row.added_p99, 0),
            median(Some(row.pieces), 1),
        ]);
    }
    Some(table)
}

/// Resident memory.
pub(crate) fn memory(report: &Report) -> Table {
    let mut table = right_aligned(["memory", "idle MB", "an open stream KB", "after the run MB"]);
    for memory in &report.memory {
        table.add_row([
            memory.subject.title().into(),
            megabytes(memory.idle),
            memory
                .open_stream
                .map_or(UNKNOWN.into(), |bytes| format!("{:.1}", bytes / 1e3)),
            megabytes(memory.after_load),
        ]);
    }
    table
}

/// The verdicts.
pub(crate) fn bars(report: &Report) -> Table {
    let mut table = right_aligned(["bar", "at most", "measured", "verdict"]);
    for bar in &report.bars {
        let measured = bar
            .measured
            .map_or(UNKNOWN.into(), |measured| format!("{measured:.2}"));
        table.add_row([
            bar.name.into(),
            format!("{} {}", bar.limit, bar.unit),
            measured,
            bar.verdict().into(),
        ]);
    }
    table
}

/// A table whose numbers stand below each other; the first column is text.
fn right_aligned<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn spread(spread: Option<Spread>) -> String {
    spread.map_or(UNKNOWN.into(), |Spread { median, min, max }| {
        format!("{median:.2} ({min:.2} to {max:.2})")
    })
}

fn median(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or(UNKNOWN.into(), |spread| {
        format!("{:.digits$}", spread.median)
    })
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}
