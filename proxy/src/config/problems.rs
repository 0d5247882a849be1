//! Everything that is wrong with a configuration file, collected so that one
//! look at it is enough.

use std::fmt;
use std::path::Path;

use super::Source;

/// The problems of one configuration file, as an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    source: Source,
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The value it is about, such as `filters[1].settings.limit`; empty when
    /// it is about the file.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// The line in the file, from 1, where known.
    pub line: Option<usize>,
}

impl Problems {
    /// No problems yet, of a file whose lines are not known.
    pub fn new(origin: &Path) -> Self {
        Self::of(Source::unread(origin))
    }

    /// No problems yet, of a file that was read. `Config::source` is one.
    pub fn of(source: Source) -> Self {
        Self {
            source,
            problems: Vec::new(),
        }
    }

    /// Adds a problem with the value at this path.
    pub fn push(&mut self, path: impl fmt::Display, message: impl Into<String>) {
        let path = path.to_string();
        let line = self.source.line(&path);
        self.problems.push(Problem {
            path,
            message: message.into(),
            line,
        });
    }

    /// Adds those that are not about the same values as problems already here:
    /// what only fails because a bad value was taken out is not news.
    pub(super) fn add_unrelated(&mut self, others: Self) {
        let known = self.problems.len();
        for other in others.problems {
            if !self.problems[..known]
                .iter()
                .any(|problem| problem.overlaps(&other))
            {
                self.problems.push(other);
            }
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// The problems.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }

    /// The value, if nothing is wrong; else the problems, in the file's order.
    pub fn into_result<T>(mut self, value: T) -> Result<T, Self> {
        if self.is_empty() {
            return Ok(value);
        }
        self.problems.sort_by_key(|problem| problem.line);
        Err(self)
    }
}

impl Problem {
    /// Whether the two are about the same value, or one about a part of the other's.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let (short, long) = if self.path.len() < other.path.len() {
            (&self.path, &other.path)
        } else {
            (&other.path, &self.path)
        };
        long.strip_prefix(short.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.len() == 1 { "" } else { "s" };
        write!(
            f,
            "{}: {} problem{plural}",
            self.source.origin.display(),
            self.len()
        )?;
        let width = self
            .iter()
            .map(|problem| problem.path.chars().count())
            .max()
            .unwrap_or(0);
        for Problem {
            path,
            message,
            line,
        } in self.iter()
        {
            let gap = if width == 0 { "" } else { "  " };
            write!(f, "\n  {path:width$}{gap}{message}")?;
            if let Some(line) = line {
                write!(f, " (line {line})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
