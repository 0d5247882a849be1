//! The present: by a clock that only goes forward, and by the calendar in UTC.

use std::time::{Duration, Instant, SystemTime};

use crate::day::Day;

/// Seconds of a day; UTC as computers keep it has no others.
const SECONDS: u64 = 86_400;

/// The present, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For spans of time.
    pub instant: Instant,
    /// For days and months.
    pub day: Day,
    /// How much of the day has passed.
    pub of_day: Duration,
}

impl Now {
    /// Looks at the clocks.
    pub fn read() -> Self {
        Self::at(Instant::now(), SystemTime::now())
    }

    /// The moment that both clocks show.
    pub fn at(instant: Instant, clock: SystemTime) -> Self {
        let passed = clock.duration_since(SystemTime::UNIX_EPOCH);
        let passed = passed.unwrap_or_default();
        let of_day = Duration::new(passed.as_secs() % SECONDS, passed.subsec_nanos());
        Self {
            instant,
            day: Day::of(clock),
            of_day,
        }
    }

    /// How long it takes until a later day begins.
    pub(super) fn until(&self, day: Day) -> Duration {
        let days = day.number().saturating_sub(self.day.number());
        let days = u64::try_from(days).unwrap_or(0);
        Duration::from_secs(days * SECONDS).saturating_sub(self.of_day)
    }

    /// How long it takes until the day is over.
    pub(super) fn until_tomorrow(&self) -> Duration {
        Duration::from_secs(SECONDS).saturating_sub(self.of_day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_month_is_as_far_as_its_days() {
        let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_547_199);
        let now = Now::at(Instant::now(), clock);
        assert_eq!(now.until_tomorrow(), Duration::from_secs(1));
        assert_eq!(now.until(now.day.next_month()), Duration::from_secs(1));
    }
}
