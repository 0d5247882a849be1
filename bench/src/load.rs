//! The load: a closed loop of clients, each on a keep-alive connection, that
//! believe no answer they have not checked.

mod answer;
mod client;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::workload::Expected;
pub(crate) use client::Client;

/// Longest time that one drive may take; a proxy that hangs ends the run.
const DRIVE_LIMIT: Duration = Duration::from_secs(300);

/// The longest time that histograms tell from longer ones.
const LONGEST_NS: u64 = 60_000_000_000;

/// What clients saw. Times are nanoseconds.
#[derive(Debug)]
pub(crate) struct Seen {
    /// From the request sent to the answer's last byte.
    pub(crate) exchange: Histogram<u64>,
    /// From an event sent by the model server to the event received; empty if
    /// events do not carry their time.
    pub(crate) event: Histogram<u64>,
    /// Pieces in which bodies came; the chunks, where they were chunked.
    pub(crate) pieces: u64,
}

impl Seen {
    fn new() -> Result<Self> {
        Ok(Self {
            exchange: Histogram::new_with_max(LONGEST_NS, 3)?,
            event: Histogram::new_with_max(LONGEST_NS, 3)?,
            pieces: 0,
        })
    }

    fn add(&mut self, other: &Self) -> Result<()> {
        self.exchange.add(&other.exchange)?;
        self.event.add(&other.event)?;
        self.pieces += other.pieces;
        Ok(())
    }
}

/// Clients with an open connection each.
#[derive(Debug)]
pub(crate) struct Clients {
    clients: Vec<Client>,
}

impl Clients {
    /// Opens `count` connections.
    pub(crate) async fn connect(address: SocketAddr, count: u16) -> Result<Self> {
        let mut clients = Vec::with_capacity(count.into());
        for _ in 0..count {
            clients.push(Client::connect(address).await?);
        }
        Ok(Self { clients })
    }

    /// Sends `request` `exchanges` times and checks every answer.
    ///
    /// # Errors
    /// At the first answer that is not `expected`, and if the end is not
    /// reached in time.
    pub(crate) async fn drive(
        &mut self,
        request: &Arc<[u8]>,
        expected: Expected,
        exchanges: u32,
    ) -> Result<Seen> {
        let left = Arc::new(AtomicU32::new(exchanges));
        let mut running = JoinSet::new();
        for client in self.clients.drain(..) {
            running.spawn(repeat(client, request.clone(), expected, left.clone()));
        }
        let mut all = Seen::new()?;
        let collect = async {
            while let Some(ended) = running.join_next().await {
                let (client, seen) = ended.context("a client panicked")??;
                all.add(&seen)?;
                self.clients.push(client);
            }
            anyhow::Ok(())
        };
        let ended = timeout(DRIVE_LIMIT, collect).await;
        ended.with_context(|| format!("no end after {DRIVE_LIMIT:?}"))??;
        Ok(all)
    }
}

/// Exchanges for as long as some are left for all clients together.
async fn repeat(
    mut client: Client,
    request: Arc<[u8]>,
    expected: Expected,
    left: Arc<AtomicU32>,
) -> Result<(Client, Seen)> {
    let mut seen = Seen::new()?;
    while left
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        })
        .is_ok()
    {
        client.exchange(&request, expected, &mut seen).await?;
    }
    Ok((client, seen))
}
