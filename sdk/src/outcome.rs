//! How an exchange ended.

use std::time::Duration;

use crate::host::outcome;

/// What [`on_complete`](crate::Filter::on_complete) learns about the exchange.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// fn was_slow(outcome: &Outcome) -> bool {
///     outcome.end() == End::Ok && outcome.ttft().is_some_and(|ttft| ttft.as_millis() > 500)
/// }
/// ```
#[derive(Debug)]
pub struct Outcome {
    facts: outcome::Facts,
}

/// Why an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The answer reached the client whole.
    Ok,
    /// A filter or the host refused the request.
    Rejected,
    /// The client left.
    ClientGone,
    /// A deadline passed.
    Timeout,
    /// The upstream failed.
    UpstreamError,
    /// The request could not be understood.
    BadRequest,
    /// The gateway or a filter failed.
    Internal,
    /// An end that this SDK is too old to know.
    Unknown,
}

impl End {
    const NAMES: [(Self, &str); 7] = [
        (Self::Ok, "ok"),
        (Self::Rejected, "rejected"),
        (Self::ClientGone, "client-gone"),
        (Self::Timeout, "timeout"),
        (Self::UpstreamError, "upstream-error"),
        (Self::BadRequest, "bad-request"),
        (Self::Internal, "internal"),
    ];

    /// The name in metrics and logs: `ok`, `client-gone`, ...
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let known = Self::NAMES.iter().find(|(end, _)| *end == self);
        known.map_or("unknown", |(_, name)| name)
    }

    fn from_name(name: &str) -> Self {
        let known = Self::NAMES.iter().find(|(_, known)| *known == name);
        known.map_or(Self::Unknown, |(end, _)| *end)
    }
}

impl Outcome {
    pub(crate) fn new(facts: outcome::Facts) -> Self {
        Self { facts }
    }

    /// The status that the client got; 0 when it left before there was one.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.facts.status
    }

    /// Why the exchange ended.
    #[must_use]
    pub fn end(&self) -> End {
        if self.facts.ok {
            End::Ok
        } else {
            End::from_name(&outcome::end())
        }
    }

    /// Whether an endpoint was asked, whatever it said.
    #[must_use]
    pub fn was_placed(&self) -> bool {
        self.facts.was_placed
    }

    /// The pool that served the request.
    #[must_use]
    pub fn pool(&self) -> Option<String> {
        outcome::pool()
    }

    /// The URL of the endpoint that served it.
    #[must_use]
    pub fn endpoint(&self) -> Option<String> {
        outcome::endpoint()
    }

    /// Prompt tokens, counted by the upstream if it says, else estimated.
    #[must_use]
    pub fn input_tokens(&self) -> u32 {
        self.facts.input_tokens
    }

    /// Generated tokens, counted by the upstream or from the stream's events.
    #[must_use]
    pub fn output_tokens(&self) -> u32 {
        self.facts.output_tokens
    }

    /// From the request's last byte to the first token; none without one.
    #[must_use]
    pub fn ttft(&self) -> Option<Duration> {
        self.facts.ttft_us.map(Duration::from_micros)
    }

    /// From the request's first byte to the answer's last.
    #[must_use]
    pub fn latency(&self) -> Duration {
        Duration::from_micros(self.facts.latency_us)
    }

    /// Time spent queued in the gateway.
    #[must_use]
    pub fn queued(&self) -> Duration {
        Duration::from_micros(self.facts.queued_us)
    }
}
