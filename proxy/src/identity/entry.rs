//! What people write of a key, in the keys file or in the main configuration.
//! Values stand as they were written; whether they make sense is for `check`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::value::Datetime;

/// The class of keys that name none.
pub const STANDARD: &str = "standard";

/// A keys file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// The keys, in any order.
    pub keys: Vec<Entry>,
}

/// One key. The key itself is not kept, only its hash.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What the key is called in logs, metrics and commands; no secret.
    pub id: String,
    /// `sha256:` and the SHA-256 of the whole key, in 64 hexadecimal digits.
    pub hash: String,
    /// Who is accounted for what is asked with it.
    pub tenant: String,
    /// How those who use it are treated; `standard` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The only models it is good for; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub created: Option<Datetime>,
    /// From when on it is refused; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub revoked: Option<Datetime>,
    /// For people, such as whose laptop has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Entry {
    /// The class, also where none is written.
    pub fn class(&self) -> &str {
        self.class.as_deref().unwrap_or(STANDARD)
    }
}

/// The keys of an `Entry`, in the order in which they are suggested.
pub(super) const FIELDS: [&str; 8] = [
    "id", "hash", "tenant", "class", "models", "created", "revoked", "note",
];
