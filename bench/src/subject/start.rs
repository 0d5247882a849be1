//! How each subject is started: a process with one worker thread, in front of
//! the model server.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Subject;
use crate::lab::Place;
use crate::server::{Server, free_address};

const BASE: &str = include_str!("../../configs/base.toml");
/// The filters of the chain, in order; a subject has the first few of them.
const FILTERS: [&str; 4] = [
    include_str!("../../configs/model-router.toml"),
    include_str!("../../configs/token-limits.toml"),
    include_str!("../../configs/load-shaper.toml"),
    include_str!("../../configs/telemetry.toml"),
];

impl Subject {
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
