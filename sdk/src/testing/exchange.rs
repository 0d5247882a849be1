//! What one mock exchange has come to.

use std::collections::BTreeMap;

use super::body::Body;
use super::ended::Ended;

/// A request and, in time, its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) body: Body,
    pub(crate) path: String,
    pub(crate) model: String,
    pub(crate) scenario: Option<String>,
    pub(crate) streaming: bool,
    pub(crate) prompt_tokens: u32,
    pub(crate) attempt: u32,
    pub(crate) pool: Option<String>,
    pub(crate) fallback: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) class: Option<String>,
    /// The names of the budgets that it is charged to.
    pub(crate) charges: Vec<String>,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) wrapping: Option<(String, String)>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) state: Vec<u8>,
    pub(crate) ended: Option<Ended>,
}

/// The cap on new tokens, whatever the API calls it.
pub(crate) fn max_new_tokens(body: &Body) -> Option<u32> {
    let tokens = body.parameter("max_new_tokens")?.as_u64()?;
    u32::try_from(tokens).ok()
}
