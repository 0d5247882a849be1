//! One measurement: a workload through a subject, once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::time::ClockId;
use serde::Serialize;

use crate::lab::{Lab, Running};
use crate::load::{Clients, Seen};
use crate::noise::{Noise, Reading};
use crate::options::Options;
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
    /// Pieces in which a body came; of a stream, its chunks. A proxy that
    /// falls behind joins events, and looks cheaper than it is.
    pub(crate) pieces: f64,
    /// What others did meanwhile.
    pub(crate) noise: Noise,
}

/// Of a latency, microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Puts `workload` on `running` and reads what it cost.
pub(crate) async fn measure(
    lab: &Lab,
    running: &Running,
    workload: Workload,
    options: &Options,
    round: u32,
) -> Result<Cell> {
    let request: Arc<[u8]> = workload.request().into();
    let exchanges = workload.exchanges(options);
    let count = workload.connections(options);
    let mut clients = Clients::connect(lab.address(running), count).await?;
    // Connections and caches warm up unmeasured.
    clients
        .drive(&request, workload.expected(), exchanges / 10)
        .await?;

    let begun = Instant::now();
    let before = Usage::read(lab, running)?;
    let seen = clients
        .drive(&request, workload.expected(), exchanges)
        .await?;
    let after = Usage::read(lab, running)?;
    let cpu = after.proxy.saturating_sub(before.proxy);
    Ok(Cell {
        round,
        workload,
        subject: running.subject,
        exchanges,
        seconds: begun.elapsed().as_secs_f64(),
        cpu: running
            .server
            .is_some()
            .then(|| micros(cpu) / f64::from(exchanges)),
        latency: percentiles(&seen),
        pieces: seen.pieces as f64 / f64::from(exchanges),
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
    fn read(lab: &Lab, running: &Running) -> Result<Self> {
        let load = ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?;
        Ok(Self {
            cores: Reading::take(lab.place.cores)?,
            proxy: running
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
