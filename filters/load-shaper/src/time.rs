//! Times as people write them.

use headworks_sdk::prelude::*;

/// The longest that an answer may be given: longer ones have no objective.
const LONGEST: Duration = Duration::from_secs(3600);

const SHORTEST: Duration = Duration::from_millis(1);

/// A number and its unit: `1.5s`. The error says what it must be instead.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let seconds = seconds(text).ok_or_else(|| {
        format!("must be a time with its unit, such as `1.5s`, or `auto`, got `{text}`")
    })?;
    // Compared as a number: what is far beyond would be no duration.
    if !(SHORTEST.as_secs_f64()..=LONGEST.as_secs_f64()).contains(&seconds) {
        return Err(format!("must be between 1ms and 1h, got `{text}`"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn seconds(text: &str) -> Option<f64> {
    let end = text.find(|c: char| c != '.' && !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim_start() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    Some(number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        let millis = |text| parse(text).map(|time| time.as_millis());
        assert_eq!(millis("1.5s"), Ok(1500));
        assert_eq!(millis("250ms"), Ok(250));
        assert_eq!(millis("2m"), Ok(120_000));
        assert_eq!(millis("1 min"), Ok(60_000));
        assert_eq!(millis("1h"), Ok(3_600_000));
        for wrong in [
            "", "s", "15", "1.5.0s", "soon", "-1s", "1s s", "infs", "1e3s",
        ] {
            let expected =
                format!("must be a time with its unit, such as `1.5s`, or `auto`, got `{wrong}`");
            assert_eq!(parse(wrong), Err(expected));
        }
        let endless = "9".repeat(400) + "h";
        for beyond in ["0s", "0.1ms", "61m", &endless] {
            let expected = format!("must be between 1ms and 1h, got `{beyond}`");
            assert_eq!(parse(beyond), Err(expected));
        }
    }
}
