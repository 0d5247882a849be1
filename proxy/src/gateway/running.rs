//! How many exchanges run, and when the last of them has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use tokio::sync::Notify;

use crate::observe::Level;

/// The exchanges that run.
pub struct Running {
    count: AtomicI64,
    shown: Arc<Level>,
    none: Notify,
}

/// An exchange that runs until this is dropped.
pub(super) struct Run(Arc<Running>);

impl Running {
    pub(super) fn new(shown: Arc<Level>) -> Self {
        Self {
            count: AtomicI64::new(0),
            shown,
            none: Notify::new(),
        }
    }

    pub(super) fn enter(self: &Arc<Self>) -> Run {
        self.shown.set(self.count.fetch_add(1, SeqCst) + 1);
        Run(self.clone())
    }

    /// How many there are.
    pub fn count(&self) -> i64 {
        self.count.load(SeqCst)
    }

    /// Waits until there is none.
    pub async fn ended(&self) {
        loop {
            let none = self.none.notified();
            if self.count() == 0 {
                return;
            }
            none.await;
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let left = self.0.count.fetch_sub(1, SeqCst) - 1;
        self.0.shown.set(left);
        if left == 0 {
            self.0.none.notify_waiters();
        }
    }
}
