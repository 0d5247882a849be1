//! How the caller's budgets stand, in the headers that OpenAI's clients read:
//! `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::limit::{Standing, Unit, tightest};

const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];

const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// Of each unit the budget that has least left.
pub(super) fn headers(standings: &[Standing]) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::with_capacity(6);
    for (unit, names) in [(Unit::Requests, REQUESTS), (Unit::Tokens, TOKENS)] {
        let Some(standing) = tightest(standings, unit) else {
            continue;
        };
        let reset = HeaderValue::try_from(span(standing.reset)).ok();
        let values = [
            Some(HeaderValue::from(standing.limit)),
            Some(HeaderValue::from(standing.remaining)),
            reset,
        ];
        let told = names.into_iter().zip(values);
        headers.extend(told.filter_map(|(name, value)| Some((name, value?))));
    }
    headers
}

/// As OpenAI writes a span of time: `1h2m3s`, `1.5s`, `20ms`.
fn span(span: Duration) -> String {
    let (seconds, millis) = (span.as_secs(), span.subsec_millis());
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes, seconds, millis) {
        (0, 0, 0, millis) => format!("{millis}ms"),
        (0, 0, seconds, 0) => format!("{seconds}s"),
        (0, 0, seconds, millis) => format!("{seconds}.{millis:03}s"),
        (0, minutes, seconds, _) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds, _) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_openai_writes_them() {
        let check = |millis, expected| assert_eq!(span(Duration::from_millis(millis)), expected);
        check(0, "0ms");
        check(20, "20ms");
        check(1500, "1.500s");
        check(6000, "6s");
        check(61_200, "1m1s");
        check(3_723_000, "1h2m3s");
    }
}
