//! What one mock exchange has come to.

use std::collections::BTreeMap;
use std::time::Duration;

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
    /// New tokens expected; none for what its cap allows.
    pub(crate) expected_new_tokens: Option<u32>,
    /// When it was sent, on the monotonic clock.
    pub(crate) sent: Duration,
    /// Its age at that time.
    pub(crate) age: Duration,
    pub(crate) attempt: u32,
    pub(crate) pool: Option<String>,
    pub(crate) fallback: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) class: Option<String>,
    /// In thousandths; none for just its share.
    pub(crate) tenant_share: Option<u32>,
    pub(crate) objective_ms: Option<u32>,
    pub(crate) hold: Option<Hold>,
    pub(crate) explanation: Option<String>,
    /// The names of the budgets that it is charged to.
    pub(crate) charges: Vec<String>,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) wrapping: Option<(String, String)>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) state: Vec<u8>,
    pub(crate) ended: Option<Ended>,
}

/// How a request stands in line, as [`Request::hold`](crate::Request::hold) said;
/// whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// So much later than it has come.
    pub behind: Duration,
    /// After which `place` is asked again in any case.
    pub at_most: Duration,
}

impl Exchange {
    /// New tokens expected, 128 where nothing says how many.
    pub(crate) fn expected_new_tokens(&self) -> u32 {
        let expected = self.expected_new_tokens;
        expected
            .or_else(|| max_new_tokens(&self.body))
            .unwrap_or(128)
    }
}

/// The cap on new tokens, whatever the API calls it.
pub(crate) fn max_new_tokens(body: &Body) -> Option<u32> {
    let tokens = body.parameter("max_new_tokens")?.as_u64()?;
    u32::try_from(tokens).ok()
}
