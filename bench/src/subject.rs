//! What is measured.

mod start;

use clap::ValueEnum;
use serde::Serialize;

/// Something between the clients and the model server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// Nothing: clients and model server by themselves.
    Direct,
    /// Pingora's textbook load balancer: what the ratios refer to.
    PlainPingora,
    /// A second plain Pingora: how far from 1.00 equal things are on this machine.
    Control,
    /// Headworks without filters.
    #[value(name = "headworks-0")]
    #[serde(rename = "headworks-0")]
    Headworks0,
    /// Headworks with the model router.
    #[value(name = "headworks-1")]
    #[serde(rename = "headworks-1")]
    Headworks1,
    /// Headworks with all four built-in filters.
    #[value(name = "headworks-4")]
    #[serde(rename = "headworks-4")]
    Headworks4,
    /// Headworks with its filters but `telemetry`, and nobody to tell anything.
    Unobserved,
    /// Headworks with all four, StatsD, an access log and traces.
    Observed,
}

/// How Headworks is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    /// So many filters of the chain, from the first.
    pub(crate) filters: usize,
    /// It tells StatsD, an access log and a collector of traces.
    pub(crate) tells: bool,
}

impl Subject {
    /// What is measured if nothing else is asked for.
    pub(crate) const USUAL: [Self; 7] = [
        Self::Direct,
        Self::PlainPingora,
        Self::Headworks0,
        Self::Headworks1,
        Self::Headworks4,
        Self::Unobserved,
        Self::Observed,
    ];

    /// What it is, to people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Direct => "no proxy",
            Self::PlainPingora => "plain Pingora",
            Self::Control => "plain Pingora again",
            Self::Headworks0 => "Headworks, 0 filters",
            Self::Headworks1 => "Headworks, 1 filter",
            Self::Headworks4 => "Headworks, 4 filters",
            Self::Unobserved => "Headworks, unobserved",
            Self::Observed => "Headworks, observed",
        }
    }

    /// How it is set up; `None` if it is not Headworks.
    pub(crate) fn setup(self) -> Option<Setup> {
        let (filters, tells) = match self {
            Self::Headworks0 => (0, false),
            Self::Headworks1 => (1, false),
            Self::Unobserved => (3, false),
            Self::Headworks4 => (4, false),
            Self::Observed => (4, true),
            Self::Direct | Self::PlainPingora | Self::Control => return None,
        };
        Some(Setup { filters, tells })
    }
}
