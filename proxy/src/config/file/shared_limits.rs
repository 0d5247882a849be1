//! Limits that several gateways share, as people write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;
use crate::config::WithoutRedis;

/// Has several gateways share what budgets allow, by a Redis. Each takes parts
/// of a budget, at most what it has in a second, so most requests wait for
/// nobody. A change needs a restart.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SharedLimits {
    /// The Redis, such as `"redis://:password@10.0.0.7:6379/0"`, or `rediss://`
    /// for TLS. Without it each gateway counts for itself.
    pub redis: Option<String>,
    /// The beginning of all keys in it. Gateways with the same share budgets of
    /// the same name.
    pub prefix: String,
    /// How long a request waits for Redis at most. One that takes longer than
    /// half of it is taken for gone.
    pub max_wait: Time,
    /// What happens while Redis is gone: with `"local"` each gateway goes on with
    /// its part of each budget, by the number of gateways that there were; with
    /// `"refuse"` requests that have budgets are answered with 503.
    pub without_redis: WithoutRedis,
}

impl Default for SharedLimits {
    fn default() -> Self {
        Self {
            redis: None,
            prefix: "headworks".into(),
            max_wait: "100ms".into(),
            without_redis: WithoutRedis::Local,
        }
    }
}
