//! Durations as the contract spells them: whole numbers of a unit.

use std::time::Duration;

/// The least number of milliseconds that is not shorter than `duration`, capped
/// at 49 days. Rounding down would turn "soon" into 0, which means "never".
pub(crate) fn millis_at_least(duration: Duration) -> u32 {
    let millis = duration.as_micros().div_ceil(1000);
    u32::try_from(millis).unwrap_or(u32::MAX)
}

/// Whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_millisecond_counts_as_a_whole_one() {
        assert_eq!(millis_at_least(Duration::ZERO), 0);
        assert_eq!(millis_at_least(Duration::from_micros(1)), 1);
        assert_eq!(millis_at_least(Duration::from_micros(1001)), 2);
        assert_eq!(millis_at_least(Duration::MAX), u32::MAX);
    }
}
