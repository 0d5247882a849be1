//! A request's place on an endpoint.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Endpoint;
use super::endpoint::Followed;
use crate::shape::{Demand, Queue};

/// A request's place on an endpoint, held until its answer's last byte.
#[derive(Debug)]
pub struct Slot {
    endpoint: Arc<Endpoint>,
    queue: Arc<Queue>,
    id: u32,
    began: Instant,
    followed: Option<Followed>,
    is_open: bool,
}

impl Slot {
    /// Counts the request on the endpoint, and tells `queue` when it has ended.
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        queue: Arc<Queue>,
        id: u32,
        demand: Option<&Demand>,
        began: Instant,
    ) -> Self {
        let followed = endpoint.begins(demand, began);
        Self {
            endpoint,
            queue,
            id,
            began,
            followed,
            is_open: true,
        }
    }

    /// Where the place is.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// The endpoint's id in its pool.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// A stream has so many tokens in all now.
    pub(super) fn progresses(&self, tokens: u32) {
        // Most streams are not followed, and need no clock.
        if self.followed.is_some() {
            self.progressed(tokens, Instant::now());
        }
    }

    /// A stream had so many tokens in all at that time.
    pub fn progressed(&self, tokens: u32, now: Instant) {
        if let Some(Followed { ticket, .. }) = self.followed {
            self.endpoint
                .predictor(|predictor| predictor.progressed(ticket, tokens, now));
        }
    }

    /// An answer of so many tokens came whole, `queued` of its time having passed
    /// before the engine took it.
    pub fn answered(&self, tokens: u32, queued: Duration, now: Instant) {
        let Some(Followed { ticket, .. }) = self.followed.filter(|_| tokens > 0) else {
            return;
        };
        let took = now.saturating_duration_since(self.began);
        let each = took.saturating_sub(queued) / tokens;
        self.endpoint
            .predictor(|predictor| predictor.told(ticket, each, None, now));
    }

    /// Ends it by a clock of the caller's; one that is dropped ends now.
    pub fn end(mut self, now: Instant) {
        self.end_at(now);
    }

    fn end_at(&mut self, now: Instant) {
        if std::mem::take(&mut self.is_open) {
            self.endpoint.ended(self.followed, now);
            self.queue.free();
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.end_at(Instant::now());
    }
}
