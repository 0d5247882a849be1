//! What a test wants to know about the requests that came in.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderMap;
use axum::http::request::Parts;
use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;

use crate::engine::Lateness;

/// Bytes kept of the last request's body.
const KEPT_BODY: usize = 64 * 1024;

/// Counters of generating requests.
#[derive(Default)]
pub(crate) struct Stats {
    pub(crate) seen: Counter,
    pub(crate) finished: Counter,
    pub(crate) refused: Counter,
    pub(crate) faulted: Counter,
    pub(crate) told_prompts: Counter,
    pub(crate) told_tokens: Counter,
    last: Mutex<Option<LastRequest>>,
}

/// Counts up.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add_one(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, count: u32) {
        self.0.fetch_add(count.into(), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The request that came in last.
#[derive(Debug, Clone)]
pub struct LastRequest {
    /// The path it asked for.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, the first 64 KiB.
    pub body: Bytes,
}

/// The counters at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    /// Generating requests that came in.
    pub seen: u64,
    /// Answers told to their end.
    pub finished: u64,
    /// Requests refused: invalid, or too many at a time.
    pub refused: u64,
    /// Requests that a fault was drawn for.
    pub faulted: u64,
    /// Sequences given up because their client left.
    pub cancelled: u64,
    /// Slots taken, of `max_concurrent_requests`.
    pub open: usize,
    /// Sequences that wait for the card.
    pub queued: usize,
    /// Sequences on the card.
    pub running: usize,
    /// Tokens produced.
    pub tokens: u64,
    /// Tokens of the prompts of which an answer was told, or the beginning of one.
    pub told_prompts: u64,
    /// Tokens of prompts that were found in the prefix cache.
    pub cached_tokens: u64,
    /// Tokens told to clients, in events or whole answers.
    pub told_tokens: u64,
    /// How well the clock keeps its schedule.
    pub lateness: Lateness,
    /// The request that came in last.
    #[serde(skip)]
    pub last: Option<LastRequest>,
}

impl Stats {
    pub(crate) fn record(&self, parts: &Parts, body: &Bytes) {
        self.seen.add_one();
        *self.last.lock() = Some(LastRequest {
            path: parts.uri.path().to_owned(),
            headers: parts.headers.clone(),
            body: body.slice(..body.len().min(KEPT_BODY)),
        });
    }

    pub(crate) fn last(&self) -> Option<LastRequest> {
        self.last.lock().clone()
    }
}
