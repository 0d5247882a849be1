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
}

impl Subject {
    /// What is measured if nothing else is asked for.
    pub(crate) const USUAL: [Self; 5] = [
        Self::Direct,
        Self::PlainPingora,
        Self::Headworks0,
        Self::Headworks1,
        Self::Headworks4,
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
        }
    }

    /// How many filters Headworks has; `None` if it is not Headworks.
    pub(crate) fn filters(self) -> Option<usize> {
        match self {
            Self::Headworks0 => Some(0),
            Self::Headworks1 => Some(1),
            Self::Headworks4 => Some(4),
            Self::Direct | Self::PlainPingora | Self::Control => None,
        }
    }
}
