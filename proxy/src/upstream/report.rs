//! An endpoint as an operator sees it.

use std::sync::Arc;

use super::info::Limits;
use super::scrape::Gauges;
use crate::filter::Health;

/// How an endpoint of a pool is at one moment.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its URL.
    pub url: Arc<str>,
    /// What filters are told.
    pub health: Health,
    /// Why it is not up.
    pub why: Option<String>,
    /// Whether an operator wants no requests on it.
    pub drained: bool,
    /// Its part of its full share, less than 1 in slow start.
    pub share: f64,
    /// Its weight in the configuration.
    pub weight: u32,
    /// Exchanges that run on it.
    pub in_flight: u32,
    /// Tokens that those may still cost.
    pub outstanding_tokens: u32,
    /// What its own metrics say, if they were read lately.
    pub gauges: Option<Gauges>,
    /// What it says of itself, once it was asked.
    pub limits: Option<Arc<Limits>>,
}
