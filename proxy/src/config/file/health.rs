//! What is asked of endpoints beside requests, as people write it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;

/// How it is known which endpoints can be used, and how busy they are. An
/// endpoint of several pools is asked as the first of them by name says.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// What each endpoint is asked for; 200 is healthy, everything else is not.
    pub path: String,
    /// Time between two checks; a second at most while they keep the endpoint
    /// out. With `"0s"` there are none, and it is known by requests alone.
    pub interval: Time,
    /// How long an endpoint may take to answer a check or a scrape.
    pub timeout: Time,
    /// Failed checks in a row that take an endpoint out.
    #[schemars(range(min = 1, max = 1000))]
    pub unhealthy_after: u32,
    /// Passed checks in a row that bring it back.
    #[schemars(range(min = 1, max = 1000))]
    pub healthy_after: u32,
    /// Whether the endpoints' own metrics are read, for filters to see how busy
    /// they are: `true` for those at `/metrics`, a path for those elsewhere.
    pub scrape: Scrape,
    /// Time between two scrapes.
    pub scrape_interval: Time,
    /// How long the share of an endpoint grows, from a tenth to all of it, when
    /// it is new or back. With `"0s"` it gets all at once.
    pub slow_start: Time,
    /// Exchanges failed in a row that take an endpoint out for a second, twice
    /// as long each time in a row, 30 s at most, though never more than half
    /// of the pool. With 0 none does.
    #[schemars(range(max = 1000))]
    pub eject_after: u32,
}

/// Whether and where metrics are read.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Scrape {
    /// `true` or `false`
    Is(bool),
    /// `"/metrics"`
    At(String),
}

impl Default for Health {
    fn default() -> Self {
        Self {
            path: "/health".into(),
            interval: "5s".into(),
            timeout: "2s".into(),
            unhealthy_after: 2,
            healthy_after: 1,
            scrape: Scrape::Is(true),
            scrape_interval: "2s".into(),
            slow_start: "10s".into(),
            eject_after: 5,
        }
    }
}
