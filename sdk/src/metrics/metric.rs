//! A metric, and the label sets that it was used with, so that those that come
//! again cost no text on the way to the host.

use std::cell::RefCell;

use super::samples;
use crate::host::metrics;

/// Most label sets of a metric that an instance remembers.
const REMEMBERED: usize = 32;

#[derive(Debug)]
pub(super) struct Metric {
    /// The host's number for it.
    number: u32,
    known: RefCell<Vec<Known>>,
}

/// A label set.
#[derive(Debug)]
struct Known {
    values: Box<[String]>,
    series: u32,
}

impl Metric {
    /// A metric with the number that the host gave it.
    pub(super) fn new(number: u32) -> Self {
        Self {
            number,
            known: RefCell::default(),
        }
    }

    /// Takes a sample of the label set with these values.
    pub(super) fn observe(&self, values: &[&str], value: i64) {
        samples::take(self.series(values), value);
    }

    fn series(&self, values: &[&str]) -> u32 {
        let mut known = self.known.borrow_mut();
        if let Some(set) = known.iter().find(|set| *set.values == *values) {
            return set.series;
        }
        let series = metrics::series_of(self.number, values);
        if known.len() < REMEMBERED {
            let values = values.iter().map(ToString::to_string).collect();
            known.push(Known { values, series });
        }
        series
    }
}
