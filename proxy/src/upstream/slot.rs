//! A request's place on an endpoint.

use std::sync::Arc;

use super::{Endpoint, Queue};

/// A request's place on an endpoint, held until its answer's last byte.
#[derive(Debug)]
pub struct Slot {
    endpoint: Arc<Endpoint>,
    queue: Arc<Queue>,
    id: u32,
    tokens: u32,
}

impl Slot {
    /// Counts the request on the endpoint, and tells `queue` when it has ended.
    pub(super) fn new(endpoint: Arc<Endpoint>, queue: Arc<Queue>, id: u32, tokens: u32) -> Self {
        endpoint.begins(tokens);
        Self {
            endpoint,
            queue,
            id,
            tokens,
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
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.endpoint.ended(self.tokens);
        self.queue.free();
    }
}
