//! A stage to show things on: stub model servers and a gateway, running until
//! the stage is dropped. The gateway's configuration is the cast's file with the
//! addresses that this stage has.

mod cast;
mod config;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

pub(crate) use cast::{Cast, MODELS, Protocol};
pub(crate) use config::GatewayConfig;

use crate::process::Service;
use crate::ui;
use crate::workspace::{Binaries, Workspace};

/// How long a program may take to get ready; the first compile of the filters counts.
const READY: Duration = Duration::from_secs(60);

/// Where the gateway of a stage listens.
#[derive(Clone, Copy)]
pub(crate) struct Addresses {
    clients: SocketAddr,
    admin: SocketAddr,
}

impl Addresses {
    /// These ports of this machine, 0 for any; fails at once when one is in use.
    pub(crate) fn take(clients: u16, admin: u16) -> Result<Self> {
        // Held together until both are known, lest 0 and 0 give the same.
        let clients = listen(clients, "--port")?;
        let admin = listen(admin, "--admin-port")?;
        Ok(Self {
            clients: clients.local_addr()?,
            admin: admin.local_addr()?,
        })
    }

    /// Ports that are free.
    pub(crate) fn any() -> Result<Self> {
        Self::take(0, 0)
    }
}

/// The running programs.
pub(crate) struct Stage {
    /// Where clients go: `http://127.0.0.1:8000`.
    pub(crate) gateway: String,
    /// Where operators go.
    pub(crate) admin: String,
    /// Where the stubs listen, in the order of the cast's models.
    pub(crate) upstreams: Vec<String>,
    /// The configuration in use.
    pub(crate) config: GatewayConfig,
    // Dropped in this order: the gateway before its upstreams, the folder last.
    _gateway: Service,
    _stubs: Vec<Service>,
    folder: TempDir,
}

impl Stage {
    /// Starts everything and waits until it is ready.
    pub(crate) fn start(
        workspace: &Workspace,
        binaries: &Binaries,
        cast: &Cast,
        at: Addresses,
    ) -> Result<Self> {
        let Addresses { clients, admin } = at;
        let folder = tempfile::Builder::new()
            .prefix("headworks-stage-")
            .tempdir()?;
        ui::step("start stubs and gateway", |_| {
            let mut config = GatewayConfig::read(&workspace.root.join(cast.config))?;
            config.listen(clients, admin);
            let (mut stubs, mut upstreams) = (Vec::new(), Vec::new());
            for model in cast.models {
                let (stub, url) = start_stub(binaries, cast, model, folder.path())?;
                config.set_pool(model, cast.protocol.as_str(), &url)?;
                stubs.push(stub);
                upstreams.push(url);
            }
            config.write(&folder.path().join("headworks.toml"))?;
            let admin = format!("http://{admin}");
            let gateway = start_gateway(binaries, config.path(), &admin, folder.path())?;
            Ok(Self {
                gateway: format!("http://{clients}"),
                admin,
                upstreams,
                config,
                _gateway: gateway,
                _stubs: stubs,
                folder,
            })
        })
    }

    /// Keeps configuration and logs after the stage is gone, and says where.
    pub(crate) fn keep_files(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }
}

fn start_stub(
    binaries: &Binaries,
    cast: &Cast,
    model: &str,
    folder: &Path,
) -> Result<(Service, String)> {
    let mut command = Command::new(&binaries.stub);
    command.args(["--port", "0", "--profile", "fast12", "--model-id", model]);
    command.args(["--dialect", cast.protocol.as_str(), "--speed", cast.speed]);
    let mut stub = Service::start(model, &command, folder)?;
    let url = stub.wait_for(READY, |printed| {
        let line = printed
            .lines()
            .find_map(|line| line.split_once("listening on ").map(|(_, url)| url))?;
        Some(line.trim().to_owned())
    })?;
    Ok((stub, url))
}

fn start_gateway(
    binaries: &Binaries,
    config: &Path,
    admin: &str,
    folder: &Path,
) -> Result<Service> {
    let mut command = Command::new(&binaries.gateway);
    command.args(["run", "--config"]).arg(config);
    let mut gateway = Service::start("gateway", &command, folder)?;
    let ready = format!("{admin}/readyz");
    gateway.wait_for(READY, |_| ureq::get(&ready).call().is_ok().then_some(()))?;
    Ok(gateway)
}

fn listen(port: u16, flag: &str) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| {
        format!(
            "cannot listen on port {port}; stop what does, or choose another by {flag} (0 for any)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_named_with_the_way_out() {
        let taken = listen(0, "--port").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Addresses::take(port, 0)
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("port {port};")) && error.contains("--port"),
            "{error}"
        );
    }
}
