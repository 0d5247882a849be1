//! A sequence as its reader sees it: how many tokens are there, and a way to
//! wait for more. What the tokens are the reader knows itself, so producing one
//! is a count and at most one wake-up.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use futures::task::AtomicWaker;

use super::Engine;
use crate::batch::Reader;

pub(super) struct Progress {
    output: u32,
    /// Passes are free and wait for this reader.
    unhurried: bool,
    produced: AtomicU32,
    /// The reader sleeps until so many tokens are there.
    wanted: AtomicU32,
    left: AtomicBool,
    waker: AtomicWaker,
    joined: OnceLock<Instant>,
}

impl Progress {
    pub(super) fn new(output: u32, unhurried: bool) -> Self {
        Self {
            output,
            unhurried,
            produced: AtomicU32::new(0),
            wanted: AtomicU32::new(0),
            left: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            joined: OnceLock::new(),
        }
    }

    fn has(&self, tokens: u32) -> bool {
        self.produced.load(Ordering::Acquire) >= tokens
    }
}

impl Reader for Arc<Progress> {
    fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    fn wants_token(&self) -> bool {
        // A model whose passes take time does not wait for its readers.
        !self.unhurried || !self.has(self.wanted.load(Ordering::Acquire))
    }

    fn joined(&self) {
        // A later round of a long answer keeps the time of the first.
        self.joined.get_or_init(Instant::now);
    }

    fn token(&self) {
        let produced = self.produced.fetch_add(1, Ordering::AcqRel) + 1;
        if produced >= self.wanted.load(Ordering::Acquire) {
            self.waker.wake();
        }
    }
}

/// A place in the queue or the batch; dropping it gives the place up.
pub(crate) struct Ticket {
    engine: Arc<Engine>,
    progress: Arc<Progress>,
    submitted: Instant,
}

impl Ticket {
    pub(super) fn new(engine: Arc<Engine>, progress: Arc<Progress>) -> Self {
        Self {
            engine,
            progress,
            submitted: Instant::now(),
        }
    }

    /// Ready when `tokens` of the answer are there.
    pub(crate) fn poll_tokens(&self, context: &mut Context<'_>, tokens: u32) -> Poll<()> {
        let progress = &self.progress;
        if progress.has(tokens) {
            return Poll::Ready(());
        }
        progress.wanted.store(tokens, Ordering::Release);
        progress.waker.register(context.waker());
        self.engine.free_passes(|| progress.has(tokens));
        // Looks again: the token may have come before the waker was in place.
        if progress.has(tokens) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Waits for the whole answer.
    pub(crate) async fn finished(&self) {
        poll_fn(|context| self.poll_tokens(context, self.progress.output)).await;
    }

    /// When it was queued.
    pub(crate) fn submitted(&self) -> Instant {
        self.submitted
    }

    /// When it joined the batch; the time of queueing if it has not yet.
    pub(crate) fn joined(&self) -> Instant {
        self.progress
            .joined
            .get()
            .copied()
            .unwrap_or(self.submitted)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.progress.has(self.progress.output) {
            self.progress.left.store(true, Ordering::Relaxed);
            self.engine.reader_left();
        }
    }
}
