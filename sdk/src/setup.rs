//! What a filter settles with the host while it is configured; at any other
//! time a call of these is a fault of the filter.
//!
//! ```
//! use headworks_sdk::prelude::*;
//!
//! #[config(check)]
//! pub struct Config {
//!     models: BTreeMap<String, String>,
//! }
//!
//! impl Config {
//!     fn check(&self, problems: &mut Problems) {
//!         for (model, pool) in &self.models {
//!             setup::serves_model(model);
//!             problems.check(format!("models.{model}"), setup::uses_pool(pool));
//!         }
//!     }
//! }
//! ```

use crate::Refused;
use crate::host::setup;

/// The filter's name in the configuration.
#[must_use]
pub fn name() -> String {
    setup::name()
}

/// Declares a model id that this filter serves: it appears in `/v1/models` and
/// may be a metric label.
pub fn serves_model(id: &str) {
    setup::serves_model(id);
}

/// Asks whether a pool exists.
///
/// # Errors
/// There is none of this name; the error suggests the nearest.
pub fn uses_pool(name: &str) -> Result<(), Refused> {
    setup::uses_pool(name).map_err(Refused)
}

/// Asks for a grant, such as `content` to read prompts.
///
/// # Errors
/// It is not given; the error says how to give it.
pub fn needs_grant(grant: &str) -> Result<(), Refused> {
    setup::needs_grant(grant).map_err(Refused)
}
