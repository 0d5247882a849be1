//! Days of the UTC calendar, as the ledger names them.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

const SECONDS: u64 = 24 * 60 * 60;

/// Days from 1970-01-01 to 9999-12-31, the last day that has ten letters.
const LAST: u64 = 2_932_896;

/// A day, written `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that names no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DayError {
    /// It does not look like one.
    #[error("a day is written YYYY-MM-DD, such as 2026-02-28")]
    Form,
    /// It looks like one.
    #[error("the calendar has no such day")]
    Calendar,
}

impl Day {
    /// The earliest day there is.
    pub(super) const FIRST: Self = Self::new(0, 1, 1);
    /// The latest day there is.
    pub(super) const LAST: Self = Self::new(9999, 12, 31);

    const fn new(year: u16, month: u8, day: u8) -> Self {
        Self { year, month, day }
    }

    /// The day of this moment; one before 1970 counts as the first day of 1970.
    pub fn of(moment: SystemTime) -> Self {
        let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::after_1970((since.as_secs() / SECONDS).min(LAST))
    }

    /// Counts in years that begin in March, so that a leap day comes last, and
    /// in eras of 400 years, which all have the same number of days.
    fn after_1970(days: u64) -> Self {
        let days = days + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
        let year_of_era = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = (from_march + 2) % 12 + 1;
        let year = 400 * era + year_of_era + u64::from(month <= 2);
        Self::new(year as u16, month as u8, day as u8)
    }

    /// The first day of its month.
    pub(super) fn first_of_month(self) -> Self {
        Self { day: 1, ..self }
    }

    /// The last day of its month.
    pub(super) fn last_of_month(self) -> Self {
        let day = length(self.year, self.month);
        Self { day, ..self }
    }

    /// Whether both are in one month.
    pub(super) fn shares_month_with(self, other: Self) -> bool {
        self.first_of_month() == other.first_of_month()
    }
}

/// Days of a month; none of one that is not in the calendar.
fn length(year: u16, month: u8) -> u8 {
    let leaps = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u8::from(leaps),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let digits = |index| index != 4 && index != 7;
        let fits = |(index, byte): (usize, u8)| match digits(index) {
            true => byte.is_ascii_digit(),
            false => byte == b'-',
        };
        if text.len() != 10 || !text.bytes().enumerate().all(fits) {
            return Err(DayError::Form);
        }
        let year = text[..4].parse().map_err(|_| DayError::Form)?;
        let month = text[5..7].parse().map_err(|_| DayError::Form)?;
        let day = text[8..].parse().map_err(|_| DayError::Form)?;
        let is_one = (1..=length(year, month)).contains(&day);
        is_one
            .then_some(Self::new(year, month, day))
            .ok_or(DayError::Calendar)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(seconds: u64, expected: &str) {
        let day = Day::of(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(day.to_string(), expected);
        assert_eq!(expected.parse(), Ok(day));
    }

    #[test]
    fn a_day_begins_at_midnight_utc() {
        check(0, "1970-01-01");
        check(86_399, "1970-01-01");
        check(86_400, "1970-01-02");
        check(951_782_400, "2000-02-29");
        check(951_868_800, "2000-03-01");
        check(1_709_164_800, "2024-02-29");
        check(4_107_542_399, "2100-02-28");
        check(4_107_542_400, "2100-03-01");
        check(LAST * SECONDS, "9999-12-31");
        check(LAST * SECONDS * 2, "9999-12-31");
    }

    #[test]
    fn every_day_is_followed_by_the_next() {
        let mut before = Day::after_1970(0);
        for days in 1..=200 * 366 {
            let day = Day::after_1970(days);
            let same_month = day.shares_month_with(before) && day.day == before.day + 1;
            let next_month = before == before.last_of_month() && day == day.first_of_month();
            assert!(before < day && (same_month || next_month), "{day}");
            before = day;
        }
    }

    #[test]
    fn only_a_day_of_the_calendar_is_read() {
        for text in [
            "",
            "2026-1-01",
            "2026-01-1",
            "26-01-01",
            "2026/01/01",
            "2026-01-01 ",
            "+026-01-01",
            "2026-01-0é",
            "yesterday",
        ] {
            assert_eq!(text.parse::<Day>(), Err(DayError::Form), "{text}");
        }
        for text in [
            "2026-00-01",
            "2026-13-01",
            "2026-01-00",
            "2026-02-29",
            "2026-04-31",
        ] {
            assert_eq!(text.parse::<Day>(), Err(DayError::Calendar), "{text}");
        }
    }
}
