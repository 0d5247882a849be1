//! A Redis server of Debian's package, which tests can kill and stall.

use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::{Port, until};

/// A Redis that keeps nothing on disk. It is killed when dropped.
pub struct RedisServer {
    port: Port,
    child: Child,
    folder: TempDir,
}

impl RedisServer {
    /// Starts one, and waits until it answers.
    ///
    /// # Panics
    /// When it is not installed.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let port = Port::free();
        let server = Self {
            child: spawn(&port, &folder),
            port,
            folder,
        };
        server.answers().await;
        server
    }

    /// Its URL, for `shared_limits.redis`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.port.address())
    }

    /// Kills it: what it knew is gone.
    ///
    /// # Panics
    /// When the system does not let us.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Starts it anew after it was killed, at the same address.
    pub async fn restart(&mut self) {
        self.child = spawn(&self.port, &self.folder);
        self.answers().await;
    }

    /// Has it do nothing more, while its connections stay open.
    pub fn stall(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Has it go on after it was stalled.
    pub fn go_on(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("ids of processes are small");
        kill(Pid::from_raw(id), signal).expect("it runs");
    }

    /// What it says to a command; nothing when it is not there.
    pub fn ask(&self, command: &[&str]) -> Option<String> {
        let port = self.port.address().port().to_string();
        let mut client = Command::new("redis-cli");
        client.args(["-p", &port]).args(command);
        let output = client.output().expect("redis-cli is installed");
        let text = String::from_utf8(output.stdout).expect("Redis answers text");
        output.status.success().then(|| text.trim().to_owned())
    }

    async fn answers(&self) {
        until("Redis answers", async || {
            (self.ask(&["PING"])? == "PONG").then_some(())
        })
        .await;
    }
}

fn spawn(port: &Port, folder: &TempDir) -> Child {
    let number = port.address().port().to_string();
    let mut server = Command::new("redis-server");
    server
        .args(["--bind", "127.0.0.1", "--port", &number])
        .args(["--save", "", "--appendonly", "no"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    server
        .spawn()
        .expect("redis-server starts; it is in the package redis-server of Debian and others")
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Fails only when it has ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
