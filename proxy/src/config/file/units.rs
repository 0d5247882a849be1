//! Times and sizes, as text with a unit.

use std::time::Duration;

use bytesize::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Far beyond any use, and far from where adding it to the clock overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A time with its unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("examples" = ["30s"]))]
pub struct Time(String);

/// A size with its unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("examples" = ["2MiB"]))]
pub struct Size(String);

impl Time {
    /// The time: more than nothing, a year at most. The error says what it
    /// must be instead.
    pub fn parse(&self) -> Result<Duration, String> {
        match self.parse_or_zero()? {
            Duration::ZERO => Err(format!("must be longer than 0, got `{}`", self.0)),
            time => Ok(time),
        }
    }

    /// The time where nothing at all means something: a year at most. The error
    /// says what it must be instead.
    pub fn parse_or_zero(&self) -> Result<Duration, String> {
        match humantime::parse_duration(&self.0) {
            Ok(time) if time > LONGEST => Err(format!("must be a year at most, got `{}`", self.0)),
            Ok(time) => Ok(time),
            Err(_) => Err(format!(
                "must be a time with its unit, such as `30s`, got `{}`",
                self.0
            )),
        }
    }
}

impl Size {
    /// The size in bytes, 1 or more. The error says what it must be instead.
    pub fn parse(&self) -> Result<usize, String> {
        let size: ByteSize = self.0.parse().map_err(|_| {
            format!(
                "must be a size with its unit, such as `2MiB`, got `{}`",
                self.0
            )
        })?;
        match usize::try_from(size.as_u64()) {
            Ok(0) => Err(format!("must be greater than 0, got `{}`", self.0)),
            Ok(bytes) => Ok(bytes),
            Err(_) => Err(format!("must fit this machine's memory, got `{}`", self.0)),
        }
    }
}

impl From<&str> for Time {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&str> for Size {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
