//! What was used in the current day and month, and what of all that is not in
//! the file yet. Pure: days are passed in.

use std::collections::{BTreeMap, HashMap};

use super::{Entry, Row, RowKey, Sums};
use crate::day::Day;

/// What each used.
pub(super) type Rows = HashMap<RowKey, Sums>;
/// What each used on some days.
pub(super) type Days = BTreeMap<Day, Rows>;

/// What to add up, and over how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope {
    /// What to add up.
    pub quantity: Quantity,
    /// Over how long.
    pub period: Period,
}

/// What can be added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// Exchanges.
    Requests,
    /// Tokens of prompts and answers.
    Tokens,
}

/// A time that begins at midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// Today.
    Day,
    /// The calendar month.
    Month,
}

/// The usage that is held in memory.
#[derive(Debug)]
pub(super) struct Book {
    /// The day that `today` is about, and whose month `month` is about.
    day: Day,
    today: Rows,
    month: Rows,
    unwritten: Days,
    /// Whether the day has changed since rows were loaded.
    turned: bool,
}

impl Book {
    pub(super) fn new(day: Day) -> Self {
        Self {
            day,
            today: Rows::new(),
            month: Rows::new(),
            unwritten: Days::new(),
            turned: false,
        }
    }

    /// Adds what an exchange used on this day.
    pub(super) fn record(&mut self, day: Day, entry: Entry) {
        if day != self.day {
            self.turn_to(day);
        }
        let (key, sums) = entry.into_parts();
        add(&mut self.today, &key, sums);
        add(&mut self.month, &key, sums);
        add(self.unwritten.entry(day).or_default(), &key, sums);
    }

    /// Begins a day, usually the next one. A clock that is put back leads to a
    /// day that is in the file already: see `turned`.
    fn turn_to(&mut self, day: Day) {
        self.today.clear();
        if !day.shares_month_with(self.day) {
            self.month.clear();
        }
        self.day = day;
        self.turned = true;
    }

    /// Whether what is in the file should be loaded, because another day began.
    pub(super) fn turned(&self) -> bool {
        self.turned
    }

    /// What was used until now, `day`, by rows that match.
    pub(super) fn used(&self, day: Day, of: Scope, matches: impl Fn(&RowKey) -> bool) -> u64 {
        let (rows, is_current) = match of.period {
            Period::Day => (&self.today, day == self.day),
            Period::Month => (&self.month, day.shares_month_with(self.day)),
        };
        let rows = rows.iter().filter(|_| is_current);
        rows.filter(|(key, _)| matches(key))
            .map(|(_, sums)| of.quantity.of(sums))
            .fold(0, u64::saturating_add)
    }

    /// Hands over what is to be written.
    pub(super) fn take_unwritten(&mut self) -> Days {
        std::mem::take(&mut self.unwritten)
    }

    /// Takes back what could not be written.
    pub(super) fn give_back(&mut self, days: Days) {
        for (day, rows) in days {
            let unwritten = self.unwritten.entry(day).or_default();
            rows.iter()
                .for_each(|(key, sums)| add(unwritten, key, *sums));
        }
    }

    /// A book of the month of `day`, with the rows that the file has of it.
    pub(super) fn of(day: Day, rows: &[Row]) -> Self {
        let mut book = Self::new(day);
        for row in rows {
            book.take_up(row.day, &row.key, row.sums);
        }
        book
    }

    /// Becomes another book, but for what is unwritten. Gives what it was, so
    /// that it can be dropped where nobody waits.
    pub(super) fn renew(&mut self, fresh: Self) -> Self {
        let mut old = std::mem::replace(self, fresh);
        let unwritten = old.take_unwritten();
        for (day, rows) in &unwritten {
            for (key, sums) in rows {
                self.take_up(*day, key, *sums);
            }
        }
        self.unwritten = unwritten;
        old
    }

    fn take_up(&mut self, day: Day, key: &RowKey, sums: Sums) {
        if day == self.day {
            add(&mut self.today, key, sums);
        }
        if day.shares_month_with(self.day) {
            add(&mut self.month, key, sums);
        }
    }
}

impl Quantity {
    fn of(self, sums: &Sums) -> u64 {
        match self {
            Self::Requests => sums.requests,
            Self::Tokens => sums.tokens(),
        }
    }
}

/// Clones the key only where it is new.
fn add(rows: &mut Rows, key: &RowKey, more: Sums) {
    match rows.get_mut(key) {
        Some(sums) => *sums += more,
        None => {
            rows.insert(key.clone(), more);
        }
    }
}
