//! What is measured, and how each is started.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;

use crate::lab::Place;
use crate::server::{Server, free_address};

const BASE: &str = include_str!("../configs/base.toml");
/// The filters of the chain, in order; a subject has the first few of them.
const FILTERS: [&str; 4] = [
    include_str!("../configs/model-router.toml"),
    include_str!("../configs/token-limits.toml"),
    include_str!("../configs/load-shaper.toml"),
    include_str!("../configs/telemetry.toml"),
];

/// Something between the clients and the model server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// Nothing: what the clients and the model server cost by themselves.
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
            Self::Direct => "stub direct",
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

    /// Starts it and waits until it serves; `None` if there is nothing to start.
    pub(crate) async fn start(self, place: &Place, upstream: SocketAddr) -> Result<Option<Server>> {
        if self == Self::Direct {
            return Ok(None);
        }
        let started = match self.filters() {
            Some(filters) => headworks(place, upstream, filters).await,
            None => plain_pingora(place, upstream).await,
        };
        started
            .map(Some)
            .with_context(|| format!("cannot run {}", self.title()))
    }
}

async fn plain_pingora(place: &Place, upstream: SocketAddr) -> Result<Server> {
    let listen = free_address()?;
    let mut command = Command::new(&place.this_binary);
    command.arg("plain-pingora");
    command.args([
        "--listen",
        &listen.to_string(),
        "--upstream",
        &upstream.to_string(),
    ]);
    let mut server = Server::start(command, listen, place.cores.proxy, place.folder.path())?;
    server.ready(listen, "/health").await?;
    Ok(server)
}

async fn headworks(place: &Place, upstream: SocketAddr, filters: usize) -> Result<Server> {
    let (listen, admin) = (free_address()?, free_address()?);
    let file = place
        .folder
        .path()
        .join(format!("headworks-{filters}.toml"));
    write_config(&file, [listen, admin, upstream], filters)?;
    let mut command = Command::new(&place.headworks);
    command.arg("run").arg("--config").arg(&file);
    let mut server = Server::start(command, listen, place.cores.proxy, place.folder.path())?;
    server.ready(admin, "/readyz").await?;
    Ok(server)
}

fn write_config(file: &Path, addresses: [SocketAddr; 3], filters: usize) -> Result<()> {
    let text = config(addresses, filters);
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn config([listen, admin, upstream]: [SocketAddr; 3], filters: usize) -> String {
    let mut text = BASE
        .replace("@LISTEN@", &listen.to_string())
        .replace("@ADMIN@", &admin.to_string())
        .replace("@UPSTREAM@", &upstream.to_string());
    for filter in &FILTERS[..filters] {
        text.push('\n');
        text.push_str(filter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_is_a_config_with_as_many_filters() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        for filters in 0..=FILTERS.len() {
            let text = config([address; 3], filters);
            let config: toml::Table = text.parse().expect(&text);
            let chain = config.get("filters").and_then(toml::Value::as_array);
            assert_eq!(chain.map_or(0, Vec::len), filters, "{text}");
            assert!(!text.contains('@'), "{text}");
        }
    }
}
