//! Dates as TOML writes them, and the moments they stand for.

use std::time::{Duration, SystemTime};

use toml::value::{Date, Datetime, Offset, Time};

/// The last second that four digits of a year can tell.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// The moment of a date; fractions of a second do not count.
pub(super) fn moment(date: &Datetime) -> Result<SystemTime, String> {
    let Datetime {
        date: Some(day),
        time: Some(time),
        offset: Some(offset),
    } = date
    else {
        return Err(format!(
            "must be a date with time and offset, such as 2026-12-01T00:00:00Z, got {date}"
        ));
    };
    in_utc(day, time)
        .and_then(|moment| shifted(moment, offset))
        .ok_or_else(|| format!("must be a date after 1970, got {date}"))
}

fn in_utc(day: &Date, time: &Time) -> Option<SystemTime> {
    let Date { year, month, day } = day;
    let Time { hour, minute, .. } = time;
    let second = time.second.unwrap_or(0);
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    humantime::parse_rfc3339(&text).ok()
}

fn shifted(moment: SystemTime, offset: &Offset) -> Option<SystemTime> {
    let Offset::Custom { minutes } = offset else {
        return Some(moment);
    };
    let distance = Duration::from_secs(u64::from(minutes.unsigned_abs()) * 60);
    if minutes.is_positive() {
        moment.checked_sub(distance)
    } else {
        moment.checked_add(distance)
    }
}

/// The date of a moment, in UTC and whole seconds.
pub(super) fn date(moment: SystemTime) -> Datetime {
    let moment = moment.clamp(SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + LAST);
    humantime::format_rfc3339_seconds(moment)
        .to_string()
        .parse()
        .expect("a date of RFC 3339 is one of TOML")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let found = moment(&text.parse().unwrap()).map(|moment| date(moment).to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn a_date_with_an_offset_is_a_moment() {
        check("2026-11-24T12:00:00Z", Ok("2026-11-24T12:00:00Z"));
        check("2026-11-24T12:00:00.75Z", Ok("2026-11-24T12:00:00Z"));
        check("2026-12-01 00:30:00+02:00", Ok("2026-11-30T22:30:00Z"));
        check("2026-11-30T22:30:00-01:30", Ok("2026-12-01T00:00:00Z"));
    }

    #[test]
    fn a_date_that_is_no_moment_is_refused() {
        let local =
            "must be a date with time and offset, such as 2026-12-01T00:00:00Z, got 2026-12-01";
        check("2026-12-01", Err(local));
        let local = format!("{local}T00:00:00");
        check("2026-12-01T00:00:00", Err(&local));
        let old = "must be a date after 1970, got 1812-01-01T00:00:00Z";
        check("1812-01-01T00:00:00Z", Err(old));
    }

    #[test]
    fn a_clock_that_is_far_off_still_has_a_date() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(date(before).to_string(), "1970-01-01T00:00:00Z");
        let after = SystemTime::UNIX_EPOCH + LAST * 2;
        assert_eq!(date(after).to_string(), "9999-12-31T23:59:59Z");
    }
}
