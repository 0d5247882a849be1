//! How each subject is started: a process with one worker thread, in front of
//! the model server.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Setup, Subject};
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
/// Where what is observed goes.
const OBSERVED: &str = include_str!("../../configs/observed.toml");

impl Subject {
    /// Starts it and waits until it serves; `None` if there is nothing to start.
    pub(crate) async fn start(self, place: &Place, upstream: SocketAddr) -> Result<Option<Server>> {
        if self == Self::Direct {
            return Ok(None);
        }
        let started = match self.setup() {
            Some(setup) => headworks(place, upstream, setup).await,
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

async fn headworks(place: &Place, upstream: SocketAddr, setup: Setup) -> Result<Server> {
    let (listen, admin) = (free_address()?, free_address()?);
    let name = match setup.tells {
        true => "observed.toml".to_owned(),
        false => format!("headworks-{}.toml", setup.filters),
    };
    let file = place.folder.path().join(name);
    let addresses = [listen, admin, upstream, place.statsd.local_addr()?];
    let text = config(addresses, setup);
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    let mut command = Command::new(&place.headworks);
    command.arg("run").arg("--config").arg(&file);
    let mut server = Server::start(command, listen, place.cores.proxy, place.folder.path())?;
    server.ready(admin, "/readyz").await?;
    Ok(server)
}

fn config([listen, admin, upstream, statsd]: [SocketAddr; 4], setup: Setup) -> String {
    let filters = &FILTERS[..setup.filters];
    let told = setup.tells.then_some(&OBSERVED);
    let parts = filters.iter().chain(told);
    let text = parts.fold(BASE.to_owned(), |text, part| text + "\n" + part);
    text.replace("@LISTEN@", &listen.to_string())
        .replace("@ADMIN@", &admin.to_string())
        .replace("@UPSTREAM@", &upstream.to_string())
        .replace("@STATSD@", &statsd.to_string())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_chain_is_a_config_with_as_many_filters() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        for setup in Subject::value_variants().iter().filter_map(|it| it.setup()) {
            let text = config([address; 4], setup);
            let config: toml::Table = text.parse().expect(&text);
            let chain = config.get("filters").and_then(toml::Value::as_array);
            assert_eq!(chain.map_or(0, Vec::len), setup.filters, "{text}");
            assert_eq!(config.contains_key("traces"), setup.tells, "{text}");
            assert!(!text.contains('@'), "{text}");
        }
    }
}
