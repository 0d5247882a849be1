//! A run: memory first, while the servers are fresh, then rounds in which the
//! subjects take turns, so that a slow minute of the machine hits all alike.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::bars::{self, Bar};
use crate::figures;
use crate::lab::Lab;
use crate::measure::{Cell, measure};
use crate::memory;
use crate::options::Options;
use crate::report::{self, Report};
use crate::workload::Workload;

/// Measures, reports, and judges if asked to.
pub(crate) async fn proxy(options: &Options) -> Result<ExitCode> {
    eprintln!("starting the servers");
    let lab = Lab::set_up(options).await?;
    let mut memory = memory::measure(&lab, options).await?;
    let cells = rounds(&lab, options).await?;
    memory::after_load(&lab, &mut memory)?;
    let rows = figures::rows(&cells);
    let bars = bars::judge(&rows, &memory);
    let missed = !bars.iter().all(Bar::met);
    let cores = lab.place.cores;
    report::tell(
        &Report {
            cores,
            cells,
            rows,
            memory,
            bars,
        },
        options,
    )?;
    Ok(ExitCode::from(u8::from(options.enforce && missed)))
}

async fn rounds(lab: &Lab, options: &Options) -> Result<Vec<Cell>> {
    let workloads = Workload::possible(options.upstream_kind);
    let mut cells = Vec::new();
    for round in 1..=options.rounds {
        for workload in workloads {
            for running in &lab.running {
                let cell = measure(lab, running, *workload, options, round).await;
                let place = || format!("{}, {}", running.subject.title(), workload.title());
                let cell = cell.with_context(place)?;
                report::progress(&cell, options.rounds);
                cells.push(cell);
            }
        }
    }
    Ok(cells)
}
