//! Limits that several gateways share.

use super::Checker;
use crate::config::{Place, SharedLimits, file};

impl Checker<'_> {
    /// `None` where each gateway counts for itself.
    pub(super) fn shared_limits(
        &mut self,
        file: &file::SharedLimits,
        at: &Place,
    ) -> Option<SharedLimits> {
        let max_wait = self.accept(file.max_wait.parse(), &at.key("max_wait"));
        let redis = file.redis.as_ref()?;
        if redis::parse_redis_url(redis).is_none() {
            // Not the value: there may be a password in it.
            let message = "must be a URL of a Redis, such as `redis://127.0.0.1:6379`";
            self.problem(&at.key("redis"), message);
        }
        Some(SharedLimits {
            redis: redis.clone(),
            prefix: file.prefix.clone(),
            max_wait,
            without_redis: file.without_redis,
        })
    }
}
