//! How many exchanges run, and when the last of them has ended.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::observe::Level;

/// The exchanges that run.
pub struct Running {
    /// Shown to operators as it is: a copy could be set out of order.
    count: Arc<Level>,
    none: Notify,
}

/// An exchange that runs until this is dropped.
pub(super) struct Run(Arc<Running>);

impl Running {
    pub(super) fn new(count: Arc<Level>) -> Self {
        Self {
            count,
            none: Notify::new(),
        }
    }

    pub(super) fn enter(self: &Arc<Self>) -> Run {
        self.count.add(1);
        Run(self.clone())
    }

    /// How many there are.
    pub fn count(&self) -> i64 {
        self.count.get()
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
        if self.0.count.add(-1) == 0 {
            self.0.none.notify_waiters();
        }
    }
}
