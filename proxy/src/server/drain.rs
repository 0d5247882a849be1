//! Waits for the signal to stop, or for a successor that has taken over, and then
//! for exchanges to end.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora_core::server::{ShutdownSignal, ShutdownSignalWatch};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::notify;
use super::upgrade::Successor;
use crate::admin::Phase;
use crate::filter::Live;
use crate::gateway::Running;

/// After the last exchange: HTTP/2 writes its frames from a task of its own,
/// which does not say when it is done.
const LAST_WRITES: Duration = Duration::from_millis(200);

/// Decides when the server ends.
pub(super) struct Drain {
    pub(super) stop: watch::Sender<bool>,
    pub(super) running: Arc<Running>,
    pub(super) phase: Arc<Phase>,
    pub(super) live: Arc<Live>,
    pub(super) successor: Successor,
}

#[async_trait]
impl ShutdownSignalWatch for Drain {
    async fn recv(&self) -> ShutdownSignal {
        let mut terminate = listen_to(SignalKind::terminate());
        let mut interrupt = listen_to(SignalKind::interrupt());
        tokio::select! {
            _ = terminate.recv() => notify::stopping(),
            _ = interrupt.recv() => notify::stopping(),
            // Dropped with a successor that does not serve yet, which then ends too.
            () = self.handed_over() => {}
        }
        self.phase.draining();
        self.stop.send(true).ok();
        let limit = self.live.current().config.server.drain;
        tracing::info!(
            running = self.running.count(),
            ?limit,
            "stopping: running exchanges may end"
        );
        tokio::select! {
            () = self.running.ended() => {
                tokio::time::sleep(LAST_WRITES).await;
                tracing::info!("stopped");
            }
            () = tokio::time::sleep(limit) => {
                tracing::warn!(cut = self.running.count(), "stopped: exchanges ran for too long");
            }
            _ = terminate.recv() => tracing::warn!("stopped at once, as told by a second signal"),
            _ = interrupt.recv() => tracing::warn!("stopped at once, as told by a second signal"),
        }
        ShutdownSignal::FastShutdown
    }
}

impl Drain {
    /// Waits until it is told to hand over, and has.
    async fn handed_over(&self) {
        let mut upgrade = listen_to(SignalKind::user_defined2());
        loop {
            upgrade.recv().await;
            match self.successor.takes_over().await {
                Ok(id) => return tracing::info!(successor = id, "handed over"),
                Err(error) => {
                    tracing::error!("not upgraded, this process serves on: {error:#}");
                }
            }
        }
    }
}

pub(super) fn listen_to(kind: SignalKind) -> Signal {
    signal(kind).expect("the runtime takes signals")
}
