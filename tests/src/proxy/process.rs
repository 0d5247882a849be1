//! The gateway's process: its log, its memory, its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::TestProxy;
use crate::{Setup, program, until};

/// A process that is killed when dropped.
pub(super) struct Process {
    child: Mutex<Child>,
    log: PathBuf,
}

impl Process {
    /// Starts the gateway; its log is laid beside its configuration, and if it
    /// is to compile anew what it compiled too.
    pub(super) fn start(config: &Path, setup: &Setup) -> Self {
        let log = config.with_extension("log");
        let written = File::create(&log).expect("a test's folder can be written to");
        let mut command = Command::new(program::gateway());
        program::clean(&mut command)
            .args(["run", "--log-format", "json", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stderr(written);
        if setup.compiles_anew {
            command.env("XDG_CACHE_HOME", config.with_extension("cache"));
        }
        if setup.logs_all {
            command.args(["--log-level", "trace"]);
        }
        if let Some(socket) = &setup.notifies {
            command.env("NOTIFY_SOCKET", socket);
        }
        let child = command.spawn();
        Self {
            child: Mutex::new(child.expect("the gateway's program starts")),
            log,
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.lock().expect("no thread panics with it").id()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.status().is_some()
    }

    fn status(&self) -> Option<ExitStatus> {
        let mut child = self.child.lock().expect("no thread panics with it");
        child.try_wait().expect("a child can be waited for")
    }

    fn logs(&self) -> String {
        fs::read_to_string(&self.log).expect("a test's folder can be read")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.get_mut().expect("no thread panics with it");
        // Fails only when it has ended.
        child.kill().ok();
        child.wait().ok();
        if std::thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.logs());
        }
    }
}

impl TestProxy {
    /// What it logged, a JSON object a line.
    pub fn logs(&self) -> String {
        self.process.logs()
    }

    /// Waits until it has logged this.
    pub async fn logged(&self, text: &str) {
        let what = format!("the log has `{text}`");
        until(&what, async || self.logs().contains(text).then_some(())).await;
    }

    /// Bytes of memory that it has in use.
    ///
    /// # Panics
    /// When it has ended.
    pub fn rss(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("the gateway runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kibibytes.expect("Linux tells a process's memory") * 1024
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has ended.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.pid()).expect("ids of processes are small");
        kill(Pid::from_raw(id), signal).expect("the gateway runs");
    }

    /// Waits for its end.
    pub async fn ended(&self) -> ExitStatus {
        until("the gateway ends", async || self.process.status()).await
    }

    /// Whether it runs no more.
    pub fn has_ended(&self) -> bool {
        self.process.has_ended()
    }
}
