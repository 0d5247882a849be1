//! How fast a stream's tokens came.

use std::time::Duration;

/// The mean time between two tokens after the first; none with fewer than two.
///
/// `latency` starts at the request's first byte and `ttft` at its last, so the
/// time that the request took to arrive is in it.
pub(crate) fn per_token(ttft: Duration, latency: Duration, tokens: u32) -> Option<Duration> {
    let gaps = tokens.checked_sub(1).filter(|gaps| *gaps > 0)?;
    Some(latency.saturating_sub(ttft) / gaps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_token_is_not_part_of_the_pace() {
        let pace = |tokens| {
            per_token(
                Duration::from_millis(40),
                Duration::from_millis(140),
                tokens,
            )
        };
        assert_eq!(pace(11), Some(Duration::from_millis(10)));
        assert_eq!(pace(1), None);
        assert_eq!(pace(0), None);
    }
}
