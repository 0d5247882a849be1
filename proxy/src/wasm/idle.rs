//! The instances of a filter that wait for a call. Calls are synchronous, so a
//! filter needs one instance for each thread that calls it and no call waits
//! for one: a thread finds the instance that it left, warm in its cache.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parking_lot::Mutex;

use super::instance::Instance;

/// Instances by the thread that used them last.
pub(super) struct Idle {
    seats: Box<[Seat]>,
}

/// A cache line of its own, so that threads do not slow each other down.
#[derive(Default)]
#[repr(align(128))]
struct Seat(Mutex<Vec<Instance>>);

/// Counts threads, so that each has a seat; with many threads some share one.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: usize = THREADS.fetch_add(1, Ordering::Relaxed);
}

impl Idle {
    /// Seats for as many threads as the machine runs at once, and some more.
    pub(super) fn new() -> Self {
        let threads = thread::available_parallelism().map_or(8, usize::from);
        let seats = std::iter::repeat_with(Seat::default).take(threads * 2);
        Self {
            seats: seats.collect(),
        }
    }

    /// An instance that waits at this thread's seat.
    pub(super) fn take(&self) -> Option<Instance> {
        self.seat().lock().pop()
    }

    /// Leaves a sound instance for the thread's next call.
    pub(super) fn give(&self, instance: Instance) {
        self.seat().lock().push(instance);
    }

    fn seat(&self) -> &Mutex<Vec<Instance>> {
        let thread = THREAD.with(|thread| *thread);
        &self.seats[thread % self.seats.len()].0
    }
}
