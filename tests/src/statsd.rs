//! The StatsD daemon itself, npm's `statsd`, which tells what it was sent.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::built;
use crate::{Port, root, until};

/// A daemon that adds everything up. It is killed when dropped.
pub struct StatsdDaemon {
    port: Port,
    child: Child,
    totals: PathBuf,
    _folder: TempDir,
}

impl StatsdDaemon {
    /// Starts one, and waits until it has flushed once.
    ///
    /// # Panics
    /// When it is not installed.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let totals = folder.path().join("totals.json");
        let (port, management) = (Port::free(), Port::free());
        let config = json!({
            "address": "127.0.0.1",
            "port": port.address().port(),
            "mgmt_address": "127.0.0.1",
            "mgmt_port": management.address().port(),
            "flushInterval": 200,
            "backends": [root().join("tests/data/statsd/total.js")],
            "totals": totals,
        });
        let file = folder.path().join("config.js");
        fs::write(&file, config.to_string()).expect("the folder can be written to");
        let daemon = Self {
            child: spawn(&file),
            port,
            totals,
            _folder: folder,
        };
        until("the StatsD daemon flushes", async || daemon.totals()).await;
        daemon
    }

    /// Where it listens, for `metrics.statsd`.
    pub fn address(&self) -> String {
        self.port.address().to_string()
    }

    /// What a counter came to, by what was flushed so far.
    pub fn counter(&self, name: &str) -> u64 {
        self.number("counters", name)
    }

    /// How many timings a timer was told of or stands for, by what was flushed so far.
    pub fn timings(&self, name: &str) -> u64 {
        self.number("timers", name)
    }

    fn number(&self, kind: &str, name: &str) -> u64 {
        let totals = self.totals().unwrap_or_default();
        totals[kind][name].as_f64().unwrap_or_default() as u64
    }

    fn totals(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(&self.totals).ok()?).ok()
    }

    /// Datagrams that the system dropped before the daemon read them.
    ///
    /// # Panics
    /// When the system does not tell.
    pub fn dropped(&self) -> u64 {
        let sockets = fs::read_to_string("/proc/net/udp").expect("Linux tells its sockets");
        let ours = format!(":{:04X}", self.port.address().port());
        let is_ours = |line: &&str| {
            let local = line.split_whitespace().nth(1);
            local.is_some_and(|local| local.ends_with(&ours))
        };
        let dropped = |line: &str| line.split_whitespace().last()?.parse::<u64>().ok();
        sockets.lines().filter(is_ours).filter_map(dropped).sum()
    }
}

fn spawn(config: &PathBuf) -> Child {
    let program = built().join("statsd/node_modules/statsd/stats.js");
    assert!(
        program.is_file(),
        "{} is not there; run `cargo xtask test`, which installs it by npm",
        program.display()
    );
    let mut command = Command::new("node");
    command.arg(program).arg(config);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("Node.js is installed")
}

impl Drop for StatsdDaemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
