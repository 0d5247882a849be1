//! Those who wait for the keeper of shared buckets, and the rounds in which it is
//! asked: all that is to be said, and then all answers to it.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

/// Rounds of asking.
pub(super) struct Rounds {
    /// The last that has ended.
    ended: watch::Sender<u64>,
    asked: Notify,
    /// How long a request waits at most.
    patience: Duration,
}

impl Rounds {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            ended: watch::Sender::new(0),
            asked: Notify::new(),
            patience,
        }
    }

    /// Until when somebody waits who begins now.
    pub(super) fn patience(&self) -> Instant {
        Instant::now() + self.patience
    }

    /// Waits until a round has ended. Returns whether it has, in time.
    pub(super) async fn end_of(&self, round: u64, until: Instant) -> bool {
        self.asked.notify_one();
        let mut ended = self.ended.subscribe();
        let ended = ended.wait_for(|ended| *ended >= round);
        matches!(timeout_at(until, ended).await, Ok(Ok(_)))
    }

    /// A round has ended: those who waited look again.
    pub(super) fn end(&self, round: u64) {
        self.ended.send_replace(round);
    }

    /// Waits until somebody wants something.
    pub(super) async fn wanted(&self) {
        self.asked.notified().await;
    }
}
