//! From the JSON text of the `settings` table to an author's type, and what is
//! wrong with it, by path.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::config;

/// Settings of a filter. [`#[config]`](crate::config) implements it; a filter
/// that has none uses [`NoSettings`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the settings of a filter",
    note = "put `#[config]` on it, or give the filter `type Config` and `configure`"
)]
pub trait Settings: DeserializeOwned {
    /// Adds what the types cannot rule out; with `#[config(check)]` what the
    /// author's own method `check` adds.
    fn find(&self, problems: &mut Problems) {
        let _ = problems;
    }

    /// Reads and checks the settings.
    ///
    /// # Errors
    /// A wrong type, a missing or an unknown key, each with its path, or what
    /// [`find`](Self::find) found.
    #[doc(hidden)]
    fn decode(json: &str) -> Result<Self, Problems> {
        // By way of a value: the author of the settings wrote TOML and would
        // not know what to do with a line and a column of JSON.
        let value: serde_json::Value =
            serde_json::from_str(json).map_err(|error| Problems::one("", error))?;
        let settings: Self = serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            Problems::one(path.trim_start_matches('.'), error.inner())
        })?;
        let mut problems = Problems::default();
        settings.find(&mut problems);
        problems.none_or(settings)
    }
}

/// The settings of a filter that has none.
#[config]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoSettings {}

/// One thing that is wrong with a filter's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, below `settings`: `models.llama3.pool`; empty for the whole table.
    pub path: String,
    /// What is wrong and what would be right, in lower case without a full stop.
    pub message: String,
}

/// Everything that is wrong with a filter's settings, so that its user fixes it
/// in one round.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// #[config(check)]
/// pub struct Config {
///     pool: String,
///     share: f64,
/// }
///
/// impl Config {
///     fn check(&self, problems: &mut Problems) {
///         problems.check("pool", setup::uses_pool(&self.pool));
///         if !(0.0..=1.0).contains(&self.share) {
///             problems.add("share", format!("must be between 0 and 1, got {}", self.share));
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// A single problem.
    #[must_use]
    pub fn one(path: impl fmt::Display, message: impl fmt::Display) -> Self {
        let mut problems = Self::default();
        problems.add(path, message);
        problems
    }

    /// Adds a problem.
    pub fn add(&mut self, path: impl fmt::Display, message: impl fmt::Display) {
        self.0.push(Problem {
            path: path.to_string(),
            message: message.to_string(),
        });
    }

    /// Adds the error of `result`, if it is one.
    pub fn check<T, E: fmt::Display>(
        &mut self,
        path: impl fmt::Display,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.add(path, error)).ok()
    }

    /// `value` if there are no problems.
    ///
    /// # Errors
    /// The problems.
    pub fn none_or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    /// The problems, in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, message } = self;
        if path.is_empty() {
            f.write_str(message)
        } else {
            write!(f, "{path}: {message}")
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
