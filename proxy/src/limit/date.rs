//! Moments: by a clock that only goes forward, and by the calendar in UTC.

use std::time::{Duration, Instant, SystemTime};

/// Seconds of a day; UTC as computers keep it has no others.
const DAY: u64 = 86_400;

/// Days up to 9999-12-31, the last that is told.
const LAST: u64 = 2_932_896;

/// A day of the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Such as 2026.
    pub year: u16,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
}

impl Date {
    /// The day of a moment; 1970-01-01 for those before.
    pub fn of(moment: SystemTime) -> Self {
        Self::after(since_epoch(moment).as_secs() / DAY)
    }

    /// So many days after 1970-01-01: the algorithm `civil_from_days` of Howard
    /// Hinnant (<https://howardhinnant.github.io/date_algorithms.html>). Its
    /// years begin in March, so that a leap day is the last of one.
    fn after(days: u64) -> Self {
        let days = days.min(LAST) + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let leaps = day_of_era / 1460 + day_of_era / 146_096;
        let year_of_era = (day_of_era + day_of_era / 36_524 - leaps) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        Self {
            year: year as u16,
            month: month as u8,
            day: day as u8,
        }
    }

    /// Days since 1970-01-01, the way back.
    pub(super) fn days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let month_of_year = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * month_of_year + 2) / 5 + day - 1;
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let leaps = year_of_era / 4 - year_of_era / 100;
        era * 146_097 + year_of_era * 365 + leaps + day_of_year - 719_468
    }

    /// Months since year 0.
    pub(super) fn months(self) -> i64 {
        i64::from(self.year) * 12 + i64::from(self.month) - 1
    }

    /// The first of the next month.
    pub(super) fn next_month(self) -> Self {
        let (year, month) = match self.month {
            12.. => (self.year.saturating_add(1), 1),
            month => (self.year, month + 1),
        };
        Self {
            year,
            month,
            day: 1,
        }
    }
}

/// The present, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For spans of time.
    pub instant: Instant,
    /// For days and months.
    pub date: Date,
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
        let passed = since_epoch(clock);
        let of_day = Duration::new(passed.as_secs() % DAY, passed.subsec_nanos());
        Self {
            instant,
            date: Date::of(clock),
            of_day,
        }
    }

    /// How long it takes until a later day begins.
    pub(super) fn until(&self, date: Date) -> Duration {
        let days = date.days().saturating_sub(self.date.days());
        let days = u64::try_from(days).unwrap_or(0);
        Duration::from_secs(days * DAY).saturating_sub(self.of_day)
    }

    /// How long it takes until the day is over.
    pub(super) fn until_tomorrow(&self) -> Duration {
        Duration::from_secs(DAY).saturating_sub(self.of_day)
    }
}

fn since_epoch(moment: SystemTime) -> Duration {
    let passed = moment.duration_since(SystemTime::UNIX_EPOCH);
    passed.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: u64, year: u16, month: u8, day: u8) {
        let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let date = Date { year, month, day };
        assert_eq!(Date::of(moment), date);
        if seconds <= (LAST + 1) * DAY {
            assert_eq!(date.days(), (seconds / DAY).cast_signed());
        }
    }

    #[test]
    fn seconds_since_1970_are_a_day_of_the_calendar() {
        check(0, 1970, 1, 1);
        check(DAY - 1, 1970, 1, 1);
        check(DAY, 1970, 1, 2);
        check(951_782_399, 2000, 2, 28);
        check(951_782_400, 2000, 2, 29);
        check(951_868_800, 2000, 3, 1);
        check(1_709_164_800, 2024, 2, 29);
        check(1_764_547_199, 2025, 11, 30);
        check(4_107_542_400, 2100, 3, 1);
        check(253_402_300_799, 9999, 12, 31);
        check(u64::MAX / 4, 9999, 12, 31);
    }

    /// Against counting, day by day.
    #[test]
    fn every_day_follows_the_one_before() {
        let mut expected = (1970, 1, 1);
        for days in 0..=LAST {
            let date = Date::after(days);
            assert_eq!((date.year, date.month, date.day), expected);
            assert_eq!(date.days(), days.cast_signed());
            expected = day_after(expected);
        }
    }

    fn day_after((year, month, day): (u16, u8, u8)) -> (u16, u8, u8) {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + u8::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        match (month, day) {
            (12, 31) => (year + 1, 1, 1),
            (month, day) if day == length => (year, month + 1, 1),
            (month, day) => (year, month, day + 1),
        }
    }

    #[test]
    fn a_clock_before_1970_is_at_its_beginning() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Date::of(before), Date::after(0));
    }

    #[test]
    fn the_end_of_the_month_is_as_far_as_its_days() {
        let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_547_199);
        let now = Now::at(Instant::now(), clock);
        assert_eq!(now.until_tomorrow(), Duration::from_secs(1));
        assert_eq!(now.until(now.date.next_month()), Duration::from_secs(1));
    }
}
