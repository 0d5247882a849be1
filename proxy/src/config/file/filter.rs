//! Filters as people write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Size, Time};
use crate::config::{Grant, OnError};

/// One filter of the chain.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["module"]))]
pub struct Filter {
    /// Unique in the chain; the name of the module by default.
    pub name: Option<String>,
    /// `builtin:` and one of `model-router`, `token-limits`, `load-shaper` and
    /// `telemetry`, or the path of a WebAssembly file, relative to the folder
    /// of the configuration file. The file is watched.
    pub module: Option<String>,
    /// What happens to a request whose filter failed.
    pub on_error: OnError,
    /// CPU time for one call of a hook.
    pub deadline: Time,
    /// Largest memory of one instance.
    pub max_memory: Size,
    /// What the filter may do beyond seeing and routing requests.
    pub grants: Vec<Grant>,
    /// When repeated failures take the filter out.
    pub breaker: Breaker,
    /// What the filter is configured with: any table, judged by the filter.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub settings: toml::Table,
}

/// When repeated failures take a filter out: its `on_error` then applies
/// without a call, until a trial call succeeds.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Breaker {
    /// Failures within the window that open it.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub failures: u32,
    /// The window.
    pub window: Time,
    /// How long it stays open before one call is tried.
    pub cooldown: Time,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            name: None,
            module: None,
            on_error: OnError::default(),
            deadline: "10ms".into(),
            max_memory: "16MiB".into(),
            grants: Vec::new(),
            breaker: Breaker::default(),
            settings: toml::Table::new(),
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failures: 5,
            window: "10s".into(),
            cooldown: "5s".into(),
        }
    }
}
