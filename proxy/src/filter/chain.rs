//! Runs filters in order and stops at the first refusal.

/// The filters of one generation, in order.
pub struct Chain {}
