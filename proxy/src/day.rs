//! Days of the calendar in UTC, by which budgets begin anew and usage is
//! written down. The calendar is chrono's.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike, Months, NaiveDate};

/// A day, written `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(NaiveDate);

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
    /// The earliest day that is told.
    pub const FIRST: Self = Self::written(0, 1, 1);
    /// The latest day that is told.
    pub const LAST: Self = Self::written(9999, 12, 31);

    const fn written(year: i32, month: u32, day: u32) -> Self {
        Self(NaiveDate::from_ymd_opt(year, month, day).expect("the calendar has it"))
    }

    /// The day of a moment; one before 1970 counts as the first day of 1970.
    pub fn of(moment: SystemTime) -> Self {
        let passed = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(passed.as_secs()).unwrap_or(i64::MAX);
        let day = DateTime::from_timestamp(seconds, 0).map(|moment| Self(moment.date_naive()));
        day.unwrap_or(Self::LAST).min(Self::LAST)
    }

    /// Days since one that does not change.
    pub fn number(self) -> i64 {
        self.0.num_days_from_ce().into()
    }

    /// Months since one that does not change.
    pub fn month(self) -> i64 {
        i64::from(self.0.year()) * 12 + i64::from(self.0.month0())
    }

    /// The first day of its month.
    pub fn first_of_month(self) -> Self {
        Self(self.0.with_day(1).unwrap_or(self.0))
    }

    /// The first day of the next month.
    pub fn next_month(self) -> Self {
        let next = self.first_of_month().0.checked_add_months(Months::new(1));
        next.map_or(Self::LAST, Self)
    }

    /// The last day of its month.
    pub fn last_of_month(self) -> Self {
        self.next_month().0.pred_opt().map_or(Self::LAST, Self)
    }

    /// Whether both are in one month.
    pub fn shares_month_with(self, other: Self) -> bool {
        self.month() == other.month()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Stricter than chrono, which also reads `2026-2-1`.
impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let fits = |(index, byte): (usize, u8)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        if text.len() != 10 || !text.bytes().enumerate().all(fits) {
            return Err(DayError::Form);
        }
        text.parse().map(Self).map_err(|_| DayError::Calendar)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
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
        check(4_107_542_399, "2100-02-28");
        check(253_402_300_799, "9999-12-31");
        check(253_402_300_800, "9999-12-31");
        check(u64::MAX / 4, "9999-12-31");
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Day::of(before).to_string(), "1970-01-01");
    }

    #[test]
    fn a_month_ends_where_the_next_begins() {
        for (day, last, next) in [
            ("2026-11-24", "2026-11-30", "2026-12-01"),
            ("2026-12-31", "2026-12-31", "2027-01-01"),
            ("2024-02-01", "2024-02-29", "2024-03-01"),
        ] {
            let day: Day = day.parse().unwrap();
            assert_eq!(day.last_of_month().to_string(), last);
            assert_eq!(day.next_month().to_string(), next);
            assert_eq!(day.next_month().month(), day.month() + 1);
            assert!(day.shares_month_with(day.first_of_month()));
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
