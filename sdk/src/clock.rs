//! What time it is. Wasm has no clock of its own, and tests turn this one by hand.
//!
//! ```
//! # use headworks_sdk::prelude::*;
//! fn day() -> u64 {
//!     clock::unix_time().as_secs() / 86_400
//! }
//! ```

use std::time::Duration;

use crate::host::system;

/// Time since the Unix epoch, to the millisecond.
#[must_use]
pub fn unix_time() -> Duration {
    Duration::from_millis(system::now_ms())
}

/// Time since an unspecified start, to the microsecond; never goes back.
#[must_use]
pub fn monotonic() -> Duration {
    Duration::from_micros(system::monotonic_us())
}
