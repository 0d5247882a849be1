//! What decides where a request goes and whether it is let in: the load shaper
//! in its modes, and what it is compared with, all behind the same gateway.

use std::fmt;
use std::path::Path;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// One way to place and refuse requests.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    /// The load shaper with an objective
    Shaper,
    /// The same, refusing long and short prompts alike
    ShaperSizeNeutral,
    /// The load shaper without an objective: it places, and refuses nothing
    Routing,
    /// One after the other
    RoundRobin,
    /// The fewest exchanges in flight
    LeastConnections,
    /// The better of two drawn by chance
    P2c,
    /// At most ten exchanges an endpoint
    #[value(name = "fixed-10")]
    #[serde(rename = "fixed-10")]
    Fixed10,
    /// Envoy's adaptive concurrency
    Gradient,
    /// Netflix' gradient2
    Gradient2,
    /// Consistent hashing with bounded loads
    Chwbl,
    /// Each user has one model, on an endpoint of its own
    Pinned,
}

impl Policy {
    /// The `[[filters]]` that it is, for an objective in seconds.
    pub(crate) fn filters(self, objective: f64, guests: &Path) -> String {
        let module = match self {
            Self::Shaper | Self::ShaperSizeNeutral | Self::Routing => {
                "builtin:load-shaper".to_owned()
            }
            Self::Pinned => "builtin:model-router".to_owned(),
            other => {
                let file = other.guest().unwrap_or_default();
                guests.join(file).display().to_string()
            }
        };
        let settings = self.settings(objective);
        // A literal string: a path may have backslashes.
        format!("[[filters]]\nmodule = '{module}'\n\n[filters.settings]\n{settings}\n")
    }

    /// The settings of its filter.
    pub(crate) fn settings(self, objective: f64) -> String {
        match self {
            Self::Shaper => format!("p99 = \"{objective}s\"\n"),
            Self::ShaperSizeNeutral => format!("p99 = \"{objective}s\"\nsize_neutral = true\n"),
            Self::Fixed10 => "most = 10\n".to_owned(),
            _ => String::new(),
        }
    }

    /// The WebAssembly file that it needs, if it is none of the built-in filters.
    pub(crate) fn guest(self) -> Option<&'static str> {
        match self {
            Self::Shaper | Self::ShaperSizeNeutral | Self::Routing | Self::Pinned => None,
            Self::RoundRobin => Some("policy_round_robin.wasm"),
            Self::LeastConnections => Some("policy_least_connections.wasm"),
            Self::P2c => Some("policy_p2c.wasm"),
            Self::Fixed10 => Some("policy_fixed_limit.wasm"),
            Self::Gradient => Some("policy_gradient.wasm"),
            Self::Gradient2 => Some("policy_gradient2.wasm"),
            Self::Chwbl => Some("policy_chwbl.wasm"),
        }
    }

    /// What it is called in figures.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_one_filter_with_its_settings() {
        for policy in Policy::value_variants() {
            let text = policy.filters(1.5, Path::new("/guests"));
            let config: toml::Table = text.parse().expect(&text);
            let filters = config["filters"].as_array().expect("a list");
            assert_eq!(filters.len(), 1);
            let module = filters[0]["module"].as_str().expect("a module");
            assert_eq!(module.ends_with(".wasm"), policy.guest().is_some());
        }
    }

    #[test]
    fn the_objective_is_told_to_the_shaper() {
        let text = Policy::ShaperSizeNeutral.filters(1.5, Path::new("/guests"));
        assert!(
            text.ends_with("p99 = \"1.5s\"\nsize_neutral = true\n\n"),
            "{text}"
        );
    }
}
