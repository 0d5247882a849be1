//! What one run is made on: fresh model servers and a fresh gateway, so that
//! no run inherits what another one taught them.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::options::Options;
use super::policy::Policy;
use super::render::Dialect;
use super::scenario::{Case, Traffic};
use crate::cores::{self, Cores};
use crate::server::{Server, free_address, raise_file_limit};

/// Tokens of a usual answer, for objectives that depend on them.
pub(crate) const USUAL_ANSWER: u32 = 210;
/// The models of a rig where each user has one.
pub(crate) const MODELS: &[&str] = &["qwen2", "llama3"];

/// The programs, and where they run.
#[derive(Debug)]
pub(crate) struct Place {
    /// Which core does what.
    pub(crate) cores: Cores,
    headworks: PathBuf,
    stub: PathBuf,
    guests: PathBuf,
    /// One rig starts at a time: it finds free ports before it takes them.
    starts: Mutex<()>,
}

impl Place {
    /// Finds the programs. This process stays on the load's core from then on.
    pub(crate) fn find(options: &Options) -> Result<Self> {
        let this = std::env::current_exe().context("cannot tell where this binary is")?;
        let beside = |given: &Option<PathBuf>, name: &str| {
            let path = given.clone().unwrap_or_else(|| this.with_file_name(name));
            ensure!(
                path.is_file(),
                "no {name} at {}; build it with `cargo build --release -p {name}`, or name it",
                path.display()
            );
            anyhow::Ok(path)
        };
        let guests = match &options.guests {
            Some(folder) => folder.clone(),
            None => this.with_file_name("..").join("guests"),
        };
        let place = Self {
            cores: Cores::choose()?,
            headworks: beside(&options.headworks, "headworks")?,
            stub: beside(&options.stub, "headworks-stub")?,
            // Filters are looked for from the folder of the configuration.
            guests: guests.canonicalize().unwrap_or(guests),
            starts: Mutex::default(),
        };
        cores::pin(place.cores.load)?;
        raise_file_limit()?;
        Ok(place)
    }

    /// Tells one build from another: what a policy's figures depend on.
    pub(crate) fn version(&self, policy: Policy) -> Result<String> {
        let guest = policy.guest().map(|name| self.guests.join(name));
        let programs = [self.headworks.clone(), self.stub.clone()];
        version_of(programs.into_iter().chain(guest))
    }
}

/// Tells files from others of the same names.
pub(crate) fn version_of(files: impl IntoIterator<Item = PathBuf>) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let bytes =
            std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        hasher.write(&bytes);
    }
    Ok(format!("{:08x}", hasher.finish() as u32))
}

/// Servers and gateway of one run.
#[derive(Debug)]
pub(crate) struct Rig {
    /// The model servers.
    pub(crate) stubs: Vec<Server>,
    /// What is measured.
    pub(crate) gateway: Server,
    /// How requests are written for it.
    pub(crate) dialect: Dialect,
    /// Holds configuration and logs as long as the run.
    _folder: TempDir,
}

impl Rig {
    /// Starts everything and waits until it serves.
    pub(crate) async fn start(place: &Place, case: &Case, policy: Policy) -> Result<Self> {
        let _turn = place.starts.lock().await;
        let folder = TempDir::with_prefix("headworks-bench-").context("no temporary folder")?;
        let mut stubs = Vec::new();
        for index in 0..case.servers.count {
            let stub = start_stub(place, case, index, folder.path()).await;
            stubs.push(stub.context("cannot run a model server")?);
        }
        let addresses: Vec<_> = stubs.iter().map(|stub| stub.address).collect();
        let keys = keys(place, case, folder.path())?;
        let (listen, admin) = (free_address()?, free_address()?);
        let file = folder.path().join("headworks.toml");
        let mut text = base(listen, admin, &addresses, policy, !keys.is_empty());
        let objective = case.objective.of(USUAL_ANSWER);
        text.push_str(&policy.filters(objective, &place.guests));
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        let mut command = Command::new(&place.headworks);
        command.arg("run").arg("--config").arg(&file);
        let mut gateway = Server::start(command, listen, place.cores.proxy, folder.path())?;
        let ready = gateway.ready(admin, "/readyz").await;
        ready.with_context(|| format!("cannot run the gateway with {policy}"))?;
        let models = if policy == Policy::Pinned {
            MODELS
        } else {
            &[]
        };
        Ok(Self {
            stubs,
            gateway,
            dialect: Dialect {
                whole: case.whole,
                keys,
                models,
            },
            _folder: folder,
        })
    }
}

async fn start_stub(place: &Place, case: &Case, index: usize, folder: &Path) -> Result<Server> {
    let listen = free_address()?;
    let speed = if index == 0 {
        1.0 / case.servers.first_slower
    } else {
        1.0
    };
    let mut command = Command::new(&place.stub);
    command.args(["--port", &listen.port().to_string()]);
    command.args(["--profile", case.servers.profile]);
    command.args(["--speed", &speed.to_string(), "--seed", &index.to_string()]);
    let mut server = Server::start(command, listen, place.cores.load, folder)?;
    server.ready(listen, "/health").await?;
    Ok(server)
}

/// A key for each tenant, made by the gateway's own command.
fn keys(place: &Place, case: &Case, folder: &Path) -> Result<Vec<String>> {
    if !matches!(case.traffic, Traffic::Flood | Traffic::Noisy) {
        return Ok(Vec::new());
    }
    let key = |tenant: &&str| {
        let mut command = Command::new(&place.headworks);
        command
            .args(["keys", "new", "--tenant", tenant, "--file"])
            .arg(folder.join("keys.toml"));
        let output = command.output().context("cannot make keys")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cannot make keys: {errors}");
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    case.traffic.tenants().iter().map(key).collect()
}

/// Everything of the gateway's configuration but its filters.
pub(crate) fn base(
    listen: SocketAddr,
    admin: SocketAddr,
    stubs: &[SocketAddr],
    policy: Policy,
    keys: bool,
) -> String {
    let mut text = format!(
        "default_pool = \"{}\"\n\n[server]\nlisten = \"{listen}\"\nthreads = 1\n\n[admin]\nlisten = \"{admin}\"\n\n",
        if policy == Policy::Pinned {
            MODELS[0]
        } else {
            "bench"
        },
    );
    if keys {
        text.push_str("[identity]\nkeys_file = \"keys.toml\"\n\n");
    }
    if policy == Policy::Pinned {
        for (model, stub) in MODELS.iter().zip(stubs) {
            text.push_str(&pool(model, &[*stub]));
        }
    } else {
        text.push_str(&pool("bench", stubs));
    }
    text
}

fn pool(name: &str, stubs: &[SocketAddr]) -> String {
    let mut text = format!("[pools.{name}]\nprotocol = \"tgi\"\nendpoints = [\n");
    for stub in stubs {
        // Writing to memory does not fail.
        let _ = writeln!(text, "    \"http://{stub}\",");
    }
    // All servers are there from the beginning: no share that grows.
    text.push_str("]\n\n");
    let _ = writeln!(text, "[pools.{name}.health]\nslow_start = \"0s\"\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_for_each_user_needs_a_pool_for_each_model() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        for (policy, pools) in [(Policy::Pinned, 2), (Policy::Shaper, 1)] {
            let text = base(address, address, &[address; 2], policy, true);
            let config: toml::Table = text.parse().expect(&text);
            assert_eq!(
                config["pools"].as_table().map(toml::Table::len),
                Some(pools)
            );
            assert!(config["identity"].is_table());
        }
    }
}
