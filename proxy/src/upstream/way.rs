//! Where an exchange is sent, and whether it may still go elsewhere.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pingora_timeout::timeout;

use super::{Pool, Slot};
use crate::error::Error;

/// Silence that says nothing yet, and how often it is looked at then.
const LOOKS: (Duration, Duration) = (Duration::from_millis(400), Duration::from_millis(100));

/// Where an exchange is sent.
#[derive(Clone, Copy)]
pub struct Way<'a> {
    /// To a pool.
    pub pool: &'a Pool,
    /// To an endpoint of it.
    pub slot: &'a Slot,
    /// It may leave the endpoint, if the pool has a retry to spend for it.
    pub may_leave: bool,
}

impl Way<'_> {
    /// What comes of some work, unless the endpoint stalls meanwhile, and the
    /// exchange leaves it for one that does not: that costs the pool a retry.
    pub(super) async fn unless_stalled<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        if !self.may_leave {
            return work.await;
        }
        let mut work = pin!(work);
        let mut look = LOOKS.0;
        loop {
            if let Ok(done) = timeout(look, &mut work).await {
                return done;
            }
            look = LOOKS.1;
            if self.leaves(Instant::now()) {
                return Err(Error::Stalled {
                    endpoint: Arc::clone(&self.slot.endpoint().url),
                });
            }
        }
    }

    /// Whether it leaves: its endpoint has stalled, another does well, and the
    /// pool had a retry to spend, which is spent now.
    pub fn leaves(&self, now: Instant) -> bool {
        self.slot.endpoint().has_stalled(now)
            && self.pool.does_well_without(self.slot.id(), now)
            && self.pool.retries.spend()
    }
}
