//! A bucket of a day or a month of the calendar: full again when the next begins.

use std::time::Duration;

use super::budget::{Budget, Period};
use super::level::{Fit, Level};
use super::now::Now;
use crate::day::Day;

/// What was used of a day or month.
#[derive(Debug)]
pub(super) struct Window {
    span: Span,
    /// Which day or month, counted from a fixed one.
    number: i64,
    used: u64,
}

#[derive(Debug, Clone, Copy)]
enum Span {
    Day,
    Month,
}

impl Span {
    fn number(self, day: Day) -> i64 {
        match self {
            Self::Day => day.number(),
            Self::Month => day.month(),
        }
    }

    fn ends_in(self, now: &Now) -> Duration {
        match self {
            Self::Day => now.until_tomorrow(),
            Self::Month => now.until(now.day.next_month()),
        }
    }
}

impl Window {
    /// The window of now, of which so much was used before.
    pub(super) fn new(budget: &Budget, used: u64, now: &Now) -> Self {
        let span = match budget.period {
            Period::Month => Span::Month,
            _ => Span::Day,
        };
        Self {
            span,
            number: span.number(now.day),
            used,
        }
    }
}

impl Level for Window {
    /// One window back is a request that read the clock just before midnight.
    /// More is a clock that was wrong and has been set right: to wait for the
    /// day that it told could take years.
    fn pass(&mut self, now: &Now) {
        let number = self.span.number(now.day);
        if number > self.number || self.number - number > 1 {
            self.number = number;
            self.used = 0;
        }
    }

    fn fit(&self, need: u64, budget: &Budget, now: &Now) -> Fit {
        if need <= self.remaining(budget) && self.used <= budget.amount {
            Fit::Now
        } else {
            Fit::After(self.span.ends_in(now))
        }
    }

    fn charge(&mut self, amount: u64) -> i64 {
        self.used = self.used.saturating_add(amount);
        self.number
    }

    /// What was charged to a window that is over stays there.
    fn give_back(&mut self, amount: u64, window: i64) {
        if window == self.number {
            self.used = self.used.saturating_sub(amount);
        }
    }

    fn remaining(&self, budget: &Budget) -> u64 {
        budget.amount.saturating_sub(self.used)
    }

    fn reset(&self, now: &Now) -> Duration {
        match self.used {
            0 => Duration::ZERO,
            _ => self.span.ends_in(now),
        }
    }

    fn is_unused(&self) -> bool {
        self.used == 0
    }

    fn is_in_debt(&self, budget: &Budget) -> bool {
        self.used > budget.amount
    }

    fn window(&self) -> i64 {
        self.number
    }

    fn used(&self) -> u64 {
        self.used
    }

    fn set(&mut self, used: u64) {
        self.used = used;
    }
}
