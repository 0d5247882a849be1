//! Everything that runs: the model server and the subjects, each a process.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::cores::{self, Cores};
use crate::options::{Options, UpstreamKind};
use crate::server::{Server, free_address, raise_file_limit};
use crate::subject::Subject;

/// Where servers are started.
#[derive(Debug)]
pub(crate) struct Place {
    /// Which core does what.
    pub(crate) cores: Cores,
    /// Holds configurations and logs as long as the run.
    pub(crate) folder: TempDir,
    /// `headworks-bench`.
    pub(crate) this_binary: PathBuf,
    /// `headworks`.
    pub(crate) headworks: PathBuf,
    /// Takes StatsD's datagrams. Nobody reads them: what the proxy spends is measured.
    pub(crate) statsd: UdpSocket,
}

/// A subject and, unless it is the direct way, its process.
#[derive(Debug)]
pub(crate) struct Running {
    /// What it is.
    pub(crate) subject: Subject,
    /// Its process.
    pub(crate) server: Option<Server>,
}

/// All servers of a run.
#[derive(Debug)]
pub(crate) struct Lab {
    /// Where they run.
    pub(crate) place: Place,
    /// In the order in which they take turns.
    pub(crate) running: Vec<Running>,
    /// The model server.
    pub(crate) upstream: Server,
}

impl Lab {
    /// Starts every server and waits until all serve. This process stays on
    /// the load's core from then on.
    pub(crate) async fn set_up(options: &Options) -> Result<Self> {
        let place = Place::find(options)?;
        cores::pin(place.cores.load)?;
        raise_file_limit()?;
        let upstream = start_upstream(&place, options.upstream_kind).await;
        let upstream = upstream.context("cannot run the model server")?;
        let mut running = Vec::new();
        for subject in subjects(options) {
            let server = subject.start(&place, upstream.address).await?;
            running.push(Running { subject, server });
        }
        Ok(Self {
            place,
            running,
            upstream,
        })
    }

    /// Where clients send what is meant for this subject.
    pub(crate) fn address(&self, running: &Running) -> SocketAddr {
        running.server.as_ref().unwrap_or(&self.upstream).address
    }
}

impl Place {
    fn find(options: &Options) -> Result<Self> {
        let this_binary = std::env::current_exe().context("cannot tell where this binary is")?;
        let beside = this_binary.with_file_name("headworks");
        let headworks = options.headworks.clone().unwrap_or(beside);
        let wanted = options
            .subjects
            .iter()
            .any(|subject| subject.setup().is_some());
        ensure!(
            headworks.is_file() || !wanted,
            "no Headworks at {}; build it with `cargo build --release -p headworks`, or name it with --headworks",
            headworks.display()
        );
        let folder = TempDir::with_prefix("headworks-bench-").context("no temporary folder")?;
        Ok(Self {
            cores: Cores::choose()?,
            folder,
            this_binary,
            headworks,
            statsd: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?,
        })
    }
}

/// What was asked for, each once, with what the ratios need.
fn subjects(options: &Options) -> Vec<Subject> {
    let mut subjects = options.subjects.clone();
    subjects.push(Subject::PlainPingora);
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}

async fn start_upstream(place: &Place, kind: UpstreamKind) -> Result<Server> {
    let listen = free_address()?;
    let command = match kind {
        UpstreamKind::Fixed => {
            let mut command = Command::new(&place.this_binary);
            command.args(["upstream", "--listen", &listen.to_string()]);
            command
        }
        UpstreamKind::Stub => {
            let mut command = Command::new(place.this_binary.with_file_name("headworks-stub"));
            command.args(["--port", &listen.port().to_string(), "--profile", "instant"]);
            command
        }
    };
    let mut server = Server::start(command, listen, place.cores.load, place.folder.path())?;
    server.ready(listen, "/health").await?;
    Ok(server)
}
