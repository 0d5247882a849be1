//! Who may use the gateway, as people write it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identity::Entry;

/// Who may use the gateway. Where nothing is said everybody may, and no request
/// has a tenant; else a request needs an API key, as `Authorization: Bearer` or
/// `x-api-key`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Identity {
    /// A file of keys, as `headworks keys` writes it, relative to the folder of
    /// the configuration file. The file is watched.
    pub keys_file: Option<String>,
    /// Keys besides those of the file.
    pub keys: Vec<Entry>,
    /// The tenant of requests that come without a key. Unless it is set they
    /// are refused.
    pub anonymous: Option<String>,
}

/// Where usage is written down.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Usage {
    /// An SQLite file, relative to the folder of the configuration file, which
    /// `headworks usage` reads: tokens and requests of each day, tenant, key and
    /// model. Budgets of a day or a month go on from it after a restart. A
    /// change needs a restart.
    pub file: Option<String>,
}
