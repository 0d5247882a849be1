//! What filters declare may be used in some time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Of prompts and answers.
    Tokens,
    /// Requests that were let in.
    Requests,
    /// Exchanges at one time.
    Exchanges,
}

/// The time that a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Any span of this length: what was used comes back evenly.
    Rolling(Duration),
    /// A day of the calendar, in UTC.
    Day,
    /// A month of the calendar, in UTC.
    Month,
    /// Now: what an exchange uses comes back when it ends.
    AtOnce,
}

/// What may be used in some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// For messages and metrics. Of the same name it is the same budget, with
    /// what was used of it, also after a reload.
    pub name: Arc<str>,
    /// What is counted.
    pub unit: Unit,
    /// How much of it.
    pub amount: u64,
    /// In which time.
    pub period: Period,
    /// How much at once, of a rolling period; elsewhere it says nothing.
    pub burst: u64,
    /// It counts and reports, and never refuses.
    pub shadow: bool,
}

impl Budget {
    /// Whether so much can ever be had.
    pub(super) fn could_fit(&self, need: u64) -> bool {
        match self.period {
            Period::Rolling(_) => need <= self.amount.max(self.capacity()),
            _ => need <= self.amount,
        }
    }

    /// One of several equal parts of it, with something in it.
    pub(super) fn part(&self, parts: u64) -> Self {
        let part = |whole: u64| (whole / parts.max(1)).max(whole.min(1));
        Self {
            amount: part(self.amount),
            burst: part(self.burst),
            ..self.clone()
        }
    }

    /// What can be had at once when nothing was used.
    pub fn capacity(&self) -> u64 {
        match self.period {
            Period::Rolling(_) if self.amount > 0 => self.burst,
            _ => self.amount,
        }
    }
}

/// As a refusal tells it: `at most 60000 tokens per minute`.
impl fmt::Display for Budget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match (self.unit, self.amount) {
            (Unit::Tokens, 1) => "token",
            (Unit::Tokens, _) => "tokens",
            (Unit::Requests, 1) => "request",
            (Unit::Requests, _) => "requests",
            (Unit::Exchanges, 1) => "exchange",
            (Unit::Exchanges, _) => "exchanges",
        };
        write!(out, "at most {} {unit} {}", self.amount, self.period)
    }
}

/// As words that follow an amount: `per minute`.
impl fmt::Display for Period {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = match self {
            Self::Rolling(span) => *span,
            Self::Day => return out.write_str("per day"),
            Self::Month => return out.write_str("per month"),
            Self::AtOnce => return out.write_str("at one time"),
        };
        match (span.as_secs(), span.subsec_nanos()) {
            (1, 0) => out.write_str("per second"),
            (60, 0) => out.write_str("per minute"),
            (3600, 0) => out.write_str("per hour"),
            _ => write!(out, "per {span:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(unit: Unit, amount: u64, period: Period, expected: &str) {
        let budget = Budget {
            name: "b".into(),
            unit,
            amount,
            period,
            burst: 1,
            shadow: false,
        };
        assert_eq!(budget.to_string(), expected);
    }

    #[test]
    fn a_budget_reads_as_a_sentence() {
        let rolling = |seconds| Period::Rolling(Duration::from_secs(seconds));
        let minute = "at most 60000 tokens per minute";
        check(Unit::Tokens, 60_000, rolling(60), minute);
        let second = "at most 1 request per second";
        check(Unit::Requests, 1, rolling(1), second);
        check(Unit::Requests, 9, rolling(90), "at most 9 requests per 90s");
        let at_once = "at most 8 exchanges at one time";
        check(Unit::Exchanges, 8, Period::AtOnce, at_once);
        check(Unit::Tokens, 5, Period::Day, "at most 5 tokens per day");
    }
}
