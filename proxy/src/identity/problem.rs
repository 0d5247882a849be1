//! Everything that is wrong with keys, collected so that one look is enough.

use std::collections::BTreeMap;
use std::fmt;

use crate::config::Place;

/// One thing that is wrong with the keys of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProblem {
    /// The value it is about, such as `keys[1].hash`; empty when it is about
    /// the file.
    pub place: String,
    /// The line in the file, from 1, where known.
    pub line: Option<usize>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl KeyProblem {
    fn covers(&self, place: &str) -> bool {
        place
            .strip_prefix(self.place.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = if self.place.is_empty() { "" } else { "  " };
        write!(f, "{}{gap}{}", self.place, self.message)?;
        self.line.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
}

/// The problems found so far, and the lines to name in further ones.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<KeyProblem>,
    lines: BTreeMap<String, usize>,
}

impl Problems {
    /// The value at this place stands on this line.
    pub(super) fn locate(&mut self, place: &Place, line: usize) {
        self.lines.insert(place.to_string(), line);
    }

    /// The line of the value at this place, or of the closest that holds it.
    pub(super) fn line(&self, place: &str) -> Option<usize> {
        let holder = || self.line(&place[..place.rfind(['.', '['])?]);
        self.lines.get(place).copied().or_else(holder)
    }

    /// Adds a problem, unless there is one with the same value or with what
    /// holds it: what fails only because a bad value was left out is not news.
    pub(super) fn push(&mut self, place: &Place, message: impl Into<String>) {
        let place = place.to_string();
        if !self.found.iter().any(|problem| problem.covers(&place)) {
            let line = self.line(&place);
            self.found.push(KeyProblem {
                place,
                line,
                message: message.into(),
            });
        }
    }

    /// The value, if nothing is wrong; else the problems, in the file's order.
    pub(super) fn into_result<T>(mut self, value: T) -> Result<T, Vec<KeyProblem>> {
        if self.found.is_empty() {
            return Ok(value);
        }
        self.found.sort_by_key(|problem| problem.line);
        Err(self.found)
    }
}
