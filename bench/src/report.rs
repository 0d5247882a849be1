//! Tells the figures: progress and tables to people, JSON to machines.

mod table;

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::bars::Bar;
use crate::cores::Cores;
use crate::figures::Row;
use crate::measure::Cell;
use crate::memory::Memory;
use crate::options::Options;
use crate::workload::Workload;

/// Everything that a run found out.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Which core did what.
    pub(crate) cores: Cores,
    /// Every measurement.
    pub(crate) cells: Vec<Cell>,
    /// What they come to.
    pub(crate) rows: Vec<Row>,
    /// Of each proxy.
    pub(crate) memory: Vec<Memory>,
    /// What was asked of Headworks.
    pub(crate) bars: Vec<Bar>,
}

/// A line for a measurement that ended.
pub(crate) fn progress(cell: &Cell, rounds: u32) {
    let cpu = cell
        .cpu
        .map(|cpu| format!("{cpu:.1} us CPU per {}, ", cell.workload.unit()));
    eprintln!(
        "round {}/{rounds}: {}: {}: {}P50 {:.0} us, P99 {:.0} us{}",
        cell.round,
        cell.workload.title(),
        cell.subject.title(),
        cpu.unwrap_or_default(),
        cell.latency.p50,
        cell.latency.p99,
        if cell.noise.disturbs() {
            " (disturbed)"
        } else {
            ""
        },
    );
}

/// Prints the tables and writes the JSON file if one was asked for.
pub(crate) fn tell(report: &Report, options: &Options) -> Result<()> {
    if let Some(file) = &options.json {
        write_json(report, file)?;
    }
    let mut out = std::io::stdout().lock();
    for workload in Workload::ALL {
        if let Some(table) = table::figures(report, workload) {
            writeln!(out, "\n{}\n{table}", workload.title())?;
        }
    }
    writeln!(out, "\n{}", table::memory(report))?;
    writeln!(out, "\n{}", table::bars(report))?;
    writeln!(out, "\n{}", notes(report, options))?;
    Ok(())
}

fn write_json(report: &Report, file: &Path) -> Result<()> {
    let json = serde_json::to_string_pretty(report)?;
    std::fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))
}

fn notes(report: &Report, options: &Options) -> String {
    let disturbed = report
        .cells
        .iter()
        .filter(|cell| cell.noise.disturbs())
        .count();
    let mut text = format!(
        "median of {} rounds (min to max); proxies on core {}, load and model server on core {}",
        options.rounds, report.cores.proxy, report.cores.load,
    );
    if disturbed > 0 {
        let all = report.cells.len();
        text.push_str(&format!(
            "\nnoisy machine: in {disturbed} of {all} measurements others took more than 5 % of a core"
        ));
    }
    if options.quick {
        text.push_str("\nquick run: figures are coarse");
    }
    if cfg!(debug_assertions) {
        text.push_str(
            "\nnot a release build: plain Pingora is slower than it should be, so ratios flatter",
        );
    }
    text
}
