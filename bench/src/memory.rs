//! Resident memory of each proxy: fresh, with many open streams, after the load.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::lab::{Lab, Running};
use crate::load::{Client, Clients};
use crate::options::{Options, UpstreamKind};
use crate::server::Server;
use crate::subject::Subject;
use crate::workload::{Workload, held_stream};

/// Streams that are open at once.
const OPEN_STREAMS: u32 = 500;
/// Requests and streams before the open streams are counted, so that code
/// that is loaded at its first use is not counted as a stream's.
const FIRST_USES: u32 = 200;

/// Resident memory of one proxy, bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Memory {
    /// Which proxy.
    pub(crate) subject: Subject,
    /// Ready, before its first request.
    pub(crate) idle: u64,
    /// What an open stream adds; `None` if the model server cannot hold one.
    pub(crate) open_stream: Option<f64>,
    /// When the run is over.
    pub(crate) after_load: u64,
}

/// Measures fresh proxies.
pub(crate) async fn measure(lab: &Lab, options: &Options) -> Result<Vec<Memory>> {
    let mut all = Vec::new();
    for running in &lab.running {
        let Some(server) = &running.server else {
            continue;
        };
        eprintln!("memory: {}", running.subject.title());
        let idle = server.resident()?;
        let open_stream = match options.upstream_kind {
            UpstreamKind::Fixed => {
                Some(open_streams(server, options).await.with_context(|| {
                    format!("{}, {OPEN_STREAMS} open streams", running.subject.title())
                })?)
            }
            UpstreamKind::Stub => None,
        };
        all.push(Memory {
            subject: running.subject,
            idle,
            open_stream,
            after_load: idle,
        });
    }
    Ok(all)
}

/// Reads again what the proxies hold now.
pub(crate) fn after_load(lab: &Lab, memory: &mut [Memory]) -> Result<()> {
    let servers = lab
        .running
        .iter()
        .filter_map(|Running { server, .. }| server.as_ref());
    for (memory, server) in memory.iter_mut().zip(servers) {
        memory.after_load = server.resident()?;
    }
    Ok(())
}

/// What one of many open streams adds, bytes.
async fn open_streams(server: &Server, options: &Options) -> Result<f64> {
    for workload in [Workload::Small, Workload::Streams] {
        let mut clients = Clients::connect(server.address, options.connections).await?;
        let request: Arc<[u8]> = workload.request().into();
        clients
            .drive(&request, workload.expected(), FIRST_USES)
            .await?;
    }
    let before = server.resident()?;
    let mut open = Vec::new();
    for _ in 0..OPEN_STREAMS {
        let mut client = Client::connect(server.address).await?;
        client.first_event(&held_stream()).await?;
        open.push(client);
    }
    let added = server.resident()?.saturating_sub(before);
    Ok(added as f64 / f64::from(OPEN_STREAMS))
}
