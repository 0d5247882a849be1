//! A run: memory first, while the servers are fresh, then rounds in which the
//! subjects take turns, so that a slow minute of the machine hits all alike.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::time::ClockId;
use serde::Serialize;

use crate::bars::{self, Bar};
use crate::cli::Options;
use crate::figures;
use crate::lab::{Bench, Lab};
use crate::load::{Clients, Seen};
use crate::memory;
use crate::noise::{Noise, Reading};
use crate::report;
use crate::server::Server;
use crate::subject::Subject;
use crate::workload::Workload;

/// One measurement. Times are microseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Cell {
    /// Counted from 1.
    pub(crate) round: u32,
    /// What was sent.
    pub(crate) workload: Workload,
    /// Through what.
    pub(crate) subject: Subject,
    /// How many requests or streams.
    pub(crate) exchanges: u32,
    /// How long they took together, seconds.
    pub(crate) seconds: f64,
    /// CPU time of the proxy for one of them.
    pub(crate) cpu: Option<f64>,
    /// From a request sent to its answer's last byte; of streams, from an
    /// event sent to the event received.
    pub(crate) latency: Percentiles,
    /// What others did meanwhile.
    pub(crate) noise: Noise,
}

/// Of a latency, microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Measures, reports, and judges if asked to.
pub(crate) async fn proxy(options: &Options) -> Result<ExitCode> {
    eprintln!("starting the servers");
    let lab = Lab::set_up(options).await?;
    let mut memory = memory::measure(&lab, options).await?;
    let cells = rounds(&lab, options).await?;
    memory::after_load(&lab, &mut memory)?;
    let rows = figures::rows(&cells);
    let bars = bars::judge(&rows, &memory);
    let met = bars.iter().all(Bar::met);
    report::tell(
        &report::Report {
            cores: lab.place.cores,
            cells,
            rows,
            memory,
            bars,
        },
        options,
    )?;
    Ok(if options.enforce && !met {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn rounds(lab: &Lab, options: &Options) -> Result<Vec<Cell>> {
    let workloads = Workload::possible(options.upstream_kind);
    let mut cells = Vec::new();
    for round in 1..=options.rounds {
        for workload in workloads {
            for bench in &lab.benches {
                let cell = measure(lab, bench, *workload, options, round).await;
                let place = || format!("{}, {}", bench.subject.title(), workload.title());
                let cell = cell.with_context(place)?;
                report::progress(&cell, options.rounds);
                cells.push(cell);
            }
        }
    }
    Ok(cells)
}

async fn measure(
    lab: &Lab,
    bench: &Bench,
    workload: Workload,
    options: &Options,
    round: u32,
) -> Result<Cell> {
    let request: Arc<[u8]> = workload.request().into();
    let exchanges = workload.exchanges(options);
    let count = workload.connections(options);
    let mut clients = Clients::connect(lab.address(bench), count).await?;
    // Connections and caches warm up unmeasured.
    clients
        .drive(&request, workload.expected(), exchanges / 10)
        .await?;

    let begun = Instant::now();
    let before = Usage::read(lab, bench)?;
    let seen = clients
        .drive(&request, workload.expected(), exchanges)
        .await?;
    let after = Usage::read(lab, bench)?;
    let cpu = after.proxy.saturating_sub(before.proxy);
    Ok(Cell {
        round,
        workload,
        subject: bench.subject,
        exchanges,
        seconds: begun.elapsed().as_secs_f64(),
        cpu: bench
            .server
            .is_some()
            .then(|| micros(cpu) / f64::from(exchanges)),
        latency: percentiles(&seen),
        noise: before.cores.until(
            &after.cores,
            cpu + after.others.saturating_sub(before.others),
        ),
    })
}

/// CPU time so far.
struct Usage {
    cores: Reading,
    proxy: Duration,
    /// Of the load and the model server.
    others: Duration,
}

impl Usage {
    fn read(lab: &Lab, bench: &Bench) -> Result<Self> {
        let load = ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?;
        Ok(Self {
            cores: Reading::take(lab.place.cores)?,
            proxy: bench
                .server
                .as_ref()
                .map_or(Ok(Duration::ZERO), Server::cpu_time)?,
            others: Duration::from(load) + lab.upstream.cpu_time()?,
        })
    }
}

fn percentiles(seen: &Seen) -> Percentiles {
    // A stream takes as long as its model server; what a proxy adds shows in its events.
    let histogram = if seen.event.is_empty() {
        &seen.exchange
    } else {
        &seen.event
    };
    let at = |quantile| micros(Duration::from_nanos(histogram.value_at_quantile(quantile)));
    Percentiles {
        p50: at(0.50),
        p99: at(0.99),
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
