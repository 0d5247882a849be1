//! Random numbers from the host; in tests from a fixed seed.
//!
//! ```
//! # use headworks_sdk::prelude::*;
//! fn canary(request: &mut Request, share: f64) {
//!     request.route(if random::unit() < share { "canary" } else { "stable" });
//! }
//! ```

use crate::host::system;

/// Any `u64`.
#[must_use]
pub fn u64() -> u64 {
    system::random_u64()
}

/// From 0 up to, not including, 1.
#[must_use]
pub fn unit() -> f64 {
    // As many bits as the mantissa holds.
    const SCALE: f64 = 1.0 / (1_u64 << 53) as f64;
    (u64() >> 11) as f64 * SCALE
}

/// From 0 up to, not including, `bound`; 0 for a bound of 0.
#[must_use]
pub fn below(bound: u32) -> u32 {
    let scaled = u128::from(u64()) * u128::from(bound);
    u32::try_from(scaled >> 64).expect("less than `bound`, which is a u32")
}
