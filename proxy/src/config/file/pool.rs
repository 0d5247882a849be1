//! Pools as people write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Health, Time};
use crate::config::Protocol;

/// Endpoints that serve the same model with the same protocol.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["protocol", "endpoints"]))]
pub struct Pool {
    /// The dialect the endpoints speak.
    pub protocol: Option<Protocol>,
    /// The model name to ask the endpoints for, where their API has one.
    pub model: Option<String>,
    /// The model's `tokenizer.json`, relative to the folder of the configuration
    /// file: prompts that are one text are then counted by it. It is read again
    /// at each reload.
    pub tokenizer: Option<String>,
    /// At least one: a URL, or a table with `url` and `weight`.
    pub endpoints: Vec<Endpoint>,
    /// Parameters that may be left out where the endpoints have nothing that
    /// does the same, by their names in the caller's API. Others are refused.
    pub drop_parameters: Vec<String>,
    /// Requests of a hundred that may be sent to a second endpoint when the first
    /// fails before its first token. With 0 none is.
    #[schemars(range(max = 100))]
    pub retry_percent: u32,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// Bounds of waiting in the gateway.
    pub queue: Queue,
    /// How it is known which endpoints can be used, and how busy they are.
    pub health: Health,
}

/// An upstream server.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Endpoint {
    /// Its URL, with weight 1.
    Url(String),
    /// Its URL with a weight.
    Weighted(WeightedEndpoint),
}

/// An upstream server with a weight.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["url"]))]
pub struct WeightedEndpoint {
    /// `http://` or `https://`, host, port and path prefix.
    pub url: Option<String>,
    /// Share of the traffic relative to the other endpoints of the pool.
    #[schemars(range(min = 1, max = 65535))]
    pub weight: u32,
}

/// How long to wait for an endpoint.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// To connect.
    pub connect: Time,
    /// From the request sent to the first token of a stream.
    pub first_token: Time,
    /// From the request sent to the head of a whole answer, which comes when it
    /// has been generated.
    pub head: Time,
    /// Between two events of a stream, or two reads of a whole answer.
    pub idle: Time,
    /// From the arrival of the request to the end of the answer.
    pub total: Time,
}

/// Bounds of waiting in the gateway, for filters that make requests wait.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Queue {
    /// Most requests that wait at once; one more is refused with 503. With 0
    /// none waits.
    #[schemars(range(max = 1_000_000))]
    pub depth: usize,
    /// Longest wait; then the request is refused with 503.
    pub max_wait: Time,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            protocol: None,
            model: None,
            tokenizer: None,
            endpoints: Vec::new(),
            drop_parameters: Vec::new(),
            retry_percent: 10,
            timeouts: Timeouts::default(),
            queue: Queue::default(),
            health: Health::default(),
        }
    }
}

impl Default for WeightedEndpoint {
    fn default() -> Self {
        Self {
            url: None,
            weight: 1,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: "1s".into(),
            first_token: "60s".into(),
            head: "5m".into(),
            idle: "30s".into(),
            total: "10m".into(),
        }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            depth: 100,
            max_wait: "10s".into(),
        }
    }
}
