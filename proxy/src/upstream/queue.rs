//! Requests that wait for a place in a pool: first come, first served, so many
//! at most.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::{Mutex, MutexGuard, Notify};

/// The line before a pool. It outlives reloads.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: AtomicUsize,
    /// Held by whoever is first; tokio's mutex lets the others in by their order.
    first: Mutex<()>,
    freed: Notify,
}

/// A place in the line, left when dropped.
pub struct Ticket<'a>(&'a Queue);

/// The place at the head of the line.
pub struct First<'a> {
    queue: &'a Queue,
    _turn: MutexGuard<'a, ()>,
}

impl Queue {
    /// Gets in line, unless `depth` requests wait already.
    pub fn enter(&self, depth: usize) -> Option<Ticket<'_>> {
        let entered = self
            .waiting
            .fetch_update(Relaxed, Relaxed, |n| (n < depth).then_some(n + 1));
        entered.ok().map(|_| Ticket(self))
    }

    /// Whether anybody waits: who comes now is to get in line too.
    pub fn is_empty(&self) -> bool {
        self.waiting.load(Relaxed) == 0
    }

    /// Tells the first in line that capacity has come free.
    pub(super) fn free(&self) {
        self.freed.notify_one();
    }
}

impl Ticket<'_> {
    /// Waits to be first in line.
    pub async fn first(&self) -> First<'_> {
        First {
            queue: self.0,
            _turn: self.0.first.lock().await,
        }
    }
}

impl First<'_> {
    /// Waits until capacity comes free; at once if some did since it was last asked.
    pub async fn freed(&self) {
        self.queue.freed.notified().await;
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn no_more_wait_than_may() {
        let queue = Queue::default();
        let first = queue.enter(2);
        let second = queue.enter(2);
        assert!(first.is_some() && second.is_some() && queue.enter(2).is_none());
        drop(first);
        assert!(queue.enter(2).is_some());
    }

    #[tokio::test]
    async fn who_came_first_is_served_first() {
        let queue = Queue::default();
        let (one, two) = (queue.enter(9).unwrap(), queue.enter(9).unwrap());
        let first = one.first().await;
        let mut second = pin!(two.first());
        assert!(second.as_mut().now_or_never().is_none());
        queue.free();
        first.freed().await;
        drop(first);
        second.await;
    }
}
