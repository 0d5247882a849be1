//! Budgets that hold across requests.

use crate::host::budgets;

/// What may be used in some time by all requests together.
///
/// Declare budgets in `configure`, and say in `on_request` which of them a
/// request is charged to. The gateway does the rest: before a request goes on it
/// reserves what the request may cost in all of its budgets or in none, it has a
/// stream ask for more while it runs, and it settles by what was used.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// pub struct FairShare {
///     tokens: Budget,
/// }
///
/// #[filter]
/// impl Filter for FairShare {
///     type Config = NoSettings;
///
///     fn configure(_: NoSettings) -> Result<Self, Problems> {
///         let tokens = Allowance::tokens("share", 60_000, Period::Minute).by(&[Scope::Tenant]);
///         Ok(Self { tokens: tokens.declare() })
///     }
///
///     fn on_request(&self, request: &mut Request) -> Verdict {
///         request.charge(&self.tokens);
///         Verdict::Next
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Budget(u32);

impl Budget {
    pub(crate) fn number(&self) -> u32 {
        self.0
    }
}

/// What a budget counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Tokens of prompts and answers.
    Tokens,
    /// Requests.
    Requests,
    /// Exchanges at one time.
    Exchanges,
}

/// In what time an amount may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Any second.
    Second,
    /// Any minute.
    Minute,
    /// Any hour.
    Hour,
    /// A day of the calendar, in UTC.
    Day,
    /// A month of the calendar, in UTC.
    Month,
}

/// What tells buckets apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The tenant of the API key.
    Tenant,
    /// The API key.
    Key,
    /// The model.
    Model,
    /// The class of the API key.
    Class,
}

/// A budget to be declared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Allowance {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) period: Period,
    pub(crate) amount: u64,
    pub(crate) burst: u64,
    pub(crate) by: Vec<Scope>,
    pub(crate) shadow: bool,
}

impl Allowance {
    /// So many tokens, of prompts and answers together.
    pub fn tokens(name: &str, amount: u64, period: Period) -> Self {
        Self::new(name, Unit::Tokens, amount, period)
    }

    /// So many requests.
    pub fn requests(name: &str, amount: u64, period: Period) -> Self {
        Self::new(name, Unit::Requests, amount, period)
    }

    /// So many exchanges at one time.
    pub fn exchanges(name: &str, amount: u64) -> Self {
        Self::new(name, Unit::Exchanges, amount, Period::Second)
    }

    fn new(name: &str, unit: Unit, amount: u64, period: Period) -> Self {
        Self {
            name: name.to_owned(),
            unit,
            period,
            amount,
            burst: 0,
            by: Vec::new(),
            shadow: false,
        }
    }

    /// How much of it may be used at once; a tenth if nothing is said.
    pub fn burst(mut self, burst: u64) -> Self {
        self.burst = burst;
        self
    }

    /// Gives each combination of these a bucket of its own.
    pub fn by(mut self, by: &[Scope]) -> Self {
        self.by = by.to_vec();
        self
    }

    /// Counts and reports, and never refuses.
    pub fn shadow(mut self, shadow: bool) -> Self {
        self.shadow = shadow;
        self
    }

    /// Declares it to the gateway; for `configure` only.
    #[must_use]
    pub fn declare(&self) -> Budget {
        Budget(budgets::declare(self))
    }
}
