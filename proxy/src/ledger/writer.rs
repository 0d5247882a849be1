//! The thread that writes, five times a second if there is anything.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::LedgerError;
use super::keeper::Keeper;

const WRITE_EVERY: Duration = Duration::from_millis(200);

/// Rounds of writing between two looks at what others wrote: two seconds.
const LOOK_EVERY: u32 = 10;

const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// The thread, until it is stopped.
#[derive(Debug)]
pub(super) struct Writer {
    /// Nothing is sent: the thread ends when this is gone.
    stop: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(keeper: Arc<Keeper>) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || Rounds::new(keeper).run(&stopped))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Waits until it does nothing any more.
    pub(super) fn stop(&mut self) {
        self.stop = None;
        // If it panicked, that was told, and there is nothing to do about it.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// What the thread does.
struct Rounds {
    keeper: Arc<Keeper>,
    done: u32,
    complaints: Complaints,
}

impl Rounds {
    fn new(keeper: Arc<Keeper>) -> Self {
        Self {
            keeper,
            done: 0,
            complaints: Complaints::default(),
        }
    }

    fn run(&mut self, stopped: &Receiver<Infallible>) {
        while stopped.recv_timeout(WRITE_EVERY) == Err(RecvTimeoutError::Timeout) {
            if let Err(error) = self.go() {
                self.complain(&error);
            }
        }
    }

    fn go(&mut self) -> Result<(), LedgerError> {
        self.done = self.done.wrapping_add(1);
        self.keeper.write()?;
        if self.done.is_multiple_of(LOOK_EVERY) || self.keeper.is_turned() {
            self.keeper.catch_up()?;
        }
        Ok(())
    }

    fn complain(&mut self, error: &LedgerError) {
        if self.complaints.is_due(Instant::now()) {
            let failures = self.keeper.failures();
            tracing::error!(
                failures,
                "usage is kept in memory and will be written later: {error}"
            );
        }
    }
}

/// Keeps the log short while a disk stays full.
#[derive(Debug, Default)]
struct Complaints {
    last: Option<Instant>,
}

impl Complaints {
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= COMPLAIN_EVERY);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_wrong_is_told_once_a_minute() {
        let start = Instant::now();
        let mut complaints = Complaints::default();
        let due = [0, 1, 59, 60, 61, 120]
            .map(|seconds| complaints.is_due(start + Duration::from_secs(seconds)));
        assert_eq!(due, [true, false, false, true, false, true]);
    }
}
