//! Waits for the end of a burst of events, but not for ever.

use std::time::{Duration, Instant};

/// A burst is over when this long nothing has happened,
const QUIET: Duration = Duration::from_millis(30);
/// or when it has gone on for this long.
const LONGEST: Duration = Duration::from_millis(150);

/// The first and the last event of a burst.
#[derive(Debug, Default)]
pub(super) struct Debounce(Option<(Instant, Instant)>);

impl Debounce {
    pub(super) fn event(&mut self, now: Instant) {
        let first = self.0.map_or(now, |(first, _)| first);
        self.0 = Some((first, now));
    }

    /// How long until the burst is over; nothing when there is none.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        let (first, last) = self.0?;
        Some(
            (first + LONGEST)
                .min(last + QUIET)
                .saturating_duration_since(now),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_burst_ends_when_it_has_been_quiet() {
        let start = Instant::now();
        let mut burst = Debounce::default();
        assert_eq!(burst.wait(start), None);
        burst.event(start);
        burst.event(start + 10 * MS);
        assert_eq!(burst.wait(start + 10 * MS), Some(30 * MS));
        assert_eq!(burst.wait(start + 40 * MS), Some(Duration::ZERO));
    }

    #[test]
    fn a_burst_that_does_not_end_is_cut() {
        let start = Instant::now();
        let mut burst = Debounce::default();
        (0..=15).for_each(|tick| burst.event(start + tick * 10 * MS));
        assert_eq!(burst.wait(start + 150 * MS), Some(Duration::ZERO));
    }
}
