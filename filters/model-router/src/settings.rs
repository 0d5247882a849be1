//! The settings, as people write them.

use headworks_sdk::prelude::*;

/// Models and scenarios, and what becomes of others.
#[config]
pub struct Config {
    #[serde(default)]
    pub(crate) unknown: Unknown,
    #[serde(default)]
    pub(crate) models: BTreeMap<String, ModelSettings>,
    #[serde(default = "Unknown::pass")]
    pub(crate) unknown_scenario: Unknown,
    #[serde(default)]
    pub(crate) scenarios: BTreeMap<String, ScenarioSettings>,
}

/// What becomes of a request for what is not listed.
#[config]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unknown {
    /// It is refused.
    #[default]
    Refuse,
    /// It is left to later filters and the default pool.
    Pass,
}

/// Where a model is. One of `pool`, `alias` and `split` says so.
#[config]
#[derive(Default)]
pub(crate) struct ModelSettings {
    pub(crate) pool: Option<String>,
    /// Another model that is listed.
    pub(crate) alias: Option<String>,
    /// Pools with their shares.
    pub(crate) split: Option<BTreeMap<String, u32>>,
    /// The pool to use while nothing answers in the other.
    pub(crate) fallback: Option<String>,
    pub(crate) allow: Option<AllowSettings>,
}

/// Who may use a model.
#[config]
pub(crate) struct AllowSettings {
    pub(crate) header: String,
    pub(crate) values: Vec<String>,
}

/// What a scenario does to a request.
#[config]
pub(crate) struct ScenarioSettings {
    /// Text around `{inputs}`.
    pub(crate) template: Option<String>,
    /// Generation parameters for clients that say nothing of them.
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Value>,
    /// The models that it is for; all when absent.
    pub(crate) models: Option<Vec<String>>,
    /// Where its requests go, whatever model they name.
    pub(crate) pool: Option<String>,
}

impl Unknown {
    fn pass() -> Self {
        Self::Pass
    }
}
