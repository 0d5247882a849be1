//! One fault as people write it, checked.

use serde::{Deserialize, Serialize};

/// A fault with its time and its victims.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: Kind,
    /// Begins so long after it was added, in milliseconds.
    pub after_ms: u64,
    /// Lasts so long, in milliseconds; without it, until it is cleared.
    pub for_ms: Option<u64>,
    /// Hits so many requests, then is over.
    pub times: Option<u32>,
    /// Hits this share of the requests.
    pub percent: f64,
}

impl From<Kind> for Fault {
    /// From now on, every request.
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            after_ms: 0,
            for_ms: None,
            times: None,
            percent: 100.0,
        }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// No pass ends and `/health` hangs.
    Stall,
    /// Passes take `factor` times as long.
    Slow {
        /// 4 is a quarter of the speed.
        factor: f64,
    },
    /// Requests are answered with a bare HTTP status, streams too.
    Status {
        /// 400 to 599.
        status: u16,
    },
    /// Requests are refused as overloaded: 429, an error event on streams.
    Refuse,
    /// The connection is reset before the first byte of the answer.
    ResetBefore,
    /// The connection is reset after so many tokens; whole answers break in their middle.
    ResetAfter {
        /// Tokens before the fault.
        tokens: u32,
    },
    /// After so many tokens an event is no JSON; whole answers are half an object.
    Garbage {
        /// Tokens before the fault.
        tokens: u32,
    },
    /// After so many tokens the shard fails: an error event; 424 for whole answers.
    ErrorEvent {
        /// Tokens before the fault.
        tokens: u32,
    },
    /// `/metrics` answers what it answered last.
    FreezeMetrics,
    /// `/health` answers 503.
    Unhealthy,
}

impl Kind {
    /// Requests are its victims, rather than the whole server.
    pub fn hits_requests(&self) -> bool {
        !matches!(
            self,
            Self::Stall | Self::Slow { .. } | Self::FreezeMetrics | Self::Unhealthy
        )
    }
}

/// One fault or a list of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct OneOrMany(#[serde(deserialize_with = "one_or_many")] Vec<Fault>);

impl IntoIterator for OneOrMany {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Not an untagged enum: its errors would name neither the fault nor the field.
fn one_or_many<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Vec<Fault>, D::Error> {
    use serde::de::Error;
    let value = serde_json::Value::deserialize(source)?;
    if value.is_array() {
        serde_json::from_value(value).map_err(D::Error::custom)
    } else {
        serde_json::from_value(value)
            .map(|fault| vec![fault])
            .map_err(D::Error::custom)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindName {
    Stall,
    Slow,
    Status,
    Refuse,
    ResetBefore,
    ResetAfter,
    Garbage,
    ErrorEvent,
    FreezeMetrics,
    Unhealthy,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    kind: KindName,
    factor: Option<f64>,
    status: Option<u16>,
    tokens: Option<u32>,
    #[serde(default)]
    after_ms: u64,
    for_ms: Option<u64>,
    times: Option<u32>,
    percent: Option<f64>,
}

impl TryFrom<Written> for Fault {
    type Error = String;

    fn try_from(mut written: Written) -> Result<Self, String> {
        let kind = written.kind()?;
        for (field, is_left) in [
            ("factor", written.factor.is_some()),
            ("status", written.status.is_some()),
            ("tokens", written.tokens.is_some()),
            ("times", written.times.is_some() && !kind.hits_requests()),
            (
                "percent",
                written.percent.is_some() && !kind.hits_requests(),
            ),
        ] {
            if is_left {
                return Err(format!(
                    "`{field}` means nothing to this kind of fault, leave it out"
                ));
            }
        }
        let percent = written.percent.unwrap_or(100.0);
        if !(0.0..=100.0).contains(&percent) {
            return Err(format!("`percent` must be from 0 to 100, got {percent}"));
        }
        let Written {
            after_ms,
            for_ms,
            times,
            ..
        } = written;
        Ok(Self {
            kind,
            after_ms,
            for_ms,
            times,
            percent,
        })
    }
}

impl Written {
    /// Takes the fields that belong to the kind.
    fn kind(&mut self) -> Result<Kind, String> {
        let mut tokens = || self.tokens.take().unwrap_or(3);
        Ok(match self.kind {
            KindName::Stall => Kind::Stall,
            KindName::Slow => Kind::Slow {
                factor: positive(self.factor.take())?,
            },
            KindName::Status => Kind::Status {
                status: error_status(self.status.take())?,
            },
            KindName::Refuse => Kind::Refuse,
            KindName::ResetBefore => Kind::ResetBefore,
            KindName::ResetAfter => Kind::ResetAfter { tokens: tokens() },
            KindName::Garbage => Kind::Garbage { tokens: tokens() },
            KindName::ErrorEvent => Kind::ErrorEvent { tokens: tokens() },
            KindName::FreezeMetrics => Kind::FreezeMetrics,
            KindName::Unhealthy => Kind::Unhealthy,
        })
    }
}

fn positive(factor: Option<f64>) -> Result<f64, String> {
    factor
        .filter(|factor| factor.is_finite() && *factor > 0.0)
        .ok_or_else(|| {
            format!(
                "`factor` must be greater than 0, got {}",
                factor.unwrap_or_default()
            )
        })
}

fn error_status(status: Option<u16>) -> Result<u16, String> {
    let status = status.unwrap_or(500);
    if (400..600).contains(&status) {
        Ok(status)
    } else {
        Err(format!("`status` must be from 400 to 599, got {status}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let error = serde_json::from_str::<OneOrMany>(json)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn a_fault_that_makes_no_sense_is_refused_with_its_reason() {
        check(
            r#"{"kind": "slow"}"#,
            "`factor` must be greater than 0, got 0",
        );
        check(
            r#"{"kind": "status", "status": 200}"#,
            "`status` must be from 400 to 599, got 200",
        );
        check(
            r#"[{"kind": "stall", "percent": 5}]"#,
            "`percent` means nothing to this kind of fault",
        );
        check(
            r#"{"kind": "refuse", "tokens": 5}"#,
            "`tokens` means nothing",
        );
        check(r#"{"kind": "refuse", "for": 5}"#, "unknown field `for`");
        check(r#"{"kind": "explode"}"#, "unknown variant `explode`");
    }

    #[test]
    fn what_is_listed_can_be_added_again() {
        let fault: Fault = serde_json::from_str(r#"{"kind": "garbage", "times": 1}"#).unwrap();
        assert_eq!(fault.kind, Kind::Garbage { tokens: 3 });
        assert_eq!(
            serde_json::from_str::<Fault>(&serde_json::to_string(&fault).unwrap()).unwrap(),
            fault
        );
    }
}
