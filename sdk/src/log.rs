//! Lines in the gateway's log, under the filter's name.
//!
//! ```
//! # use headworks_sdk::prelude::*;
//! fn fall_back(request: &mut Request) {
//!     log::warn(&format!("no pool for `{}`, using `default`", request.model()));
//!     request.route("default");
//! }
//! ```

use crate::host::system::{self, Level};

/// For the author of the filter.
pub fn debug(message: &str) {
    system::log(Level::Debug, message);
}

/// Worth knowing.
pub fn info(message: &str) {
    system::log(Level::Info, message);
}

/// Somebody should look at it one day.
pub fn warn(message: &str) {
    system::log(Level::Warn, message);
}

/// Somebody should look at it now.
pub fn error(message: &str) {
    system::log(Level::Error, message);
}
