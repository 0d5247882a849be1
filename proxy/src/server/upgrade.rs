//! Hands the listeners over to a successor, such as a newer binary, without a moment
//! in which nobody listens. SIGUSR2 has the running process start it:
//!
//! 1. The successor reads its configuration and compiles its filters. Whatever is
//!    wrong with them ends it, and nothing has changed.
//! 2. It waits at a socket in a folder that only the two know, for the listening
//!    sockets: connections that wait in them wait on.
//! 3. Once it serves it says so by a file, and its predecessor takes no more
//!    connections and ends with its last exchange.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use pingora_core::server::ListenFds;
use tempfile::TempDir;

/// Names the folder of the handover to the successor.
const FOLDER: &str = "HEADWORKS_TAKE_OVER";
const SOCKET: &str = "listeners";
const SERVES: &str = "serves";

/// How long a successor may take until it serves: filters may have to be compiled.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// Who may take over from this process.
pub(super) struct Successor {
    /// Found at the start: later another file may have its name.
    program: PathBuf,
    arguments: Vec<OsString>,
    listeners: Listeners,
}

/// The listening sockets, once the server has them.
pub(super) type Listeners = Arc<OnceLock<ListenFds>>;

impl Successor {
    /// What has this process's path and arguments when it is asked for.
    pub(super) fn new(listeners: Listeners) -> Result<Self> {
        Ok(Self {
            program: std::env::current_exe().context("this program cannot be found")?,
            arguments: std::env::args_os().skip(1).collect(),
            listeners,
        })
    }

    /// Starts the successor and hands over to it; returns its process's id once it
    /// serves. Until then, and on an error, this process serves as before.
    pub(super) async fn takes_over(&self) -> Result<u32> {
        let program = self.program.display();
        tracing::info!(%program, "upgrading");
        let folder = TempDir::with_prefix("headworks-").context("no folder for the handover")?;
        let process = Command::new(&self.program)
            .args(&self.arguments)
            .env(FOLDER, folder.path())
            .spawn()
            .with_context(|| format!("{program} cannot be started"))?;
        let mut heir = Heir {
            process,
            serves: folder.path().join(SERVES),
        };
        self.hands_over(&mut heir, folder.path()).await?;
        Ok(heir.process.id())
    }

    async fn hands_over(&self, heir: &mut Heir, folder: &Path) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        let Heir { process, serves } = heir;
        let socket = folder.join(SOCKET);
        appears(&socket, process, until).await?;
        let listeners = self.listeners.get().context("nothing listens yet")?.clone();
        let path = socket.display().to_string();
        let sent = tokio::task::spawn_blocking(move || listeners.lock().send_to_sock(&*path));
        sent.await?
            .context("the successor did not take the listeners")?;
        appears(serves, process, until).await
    }
}

/// A successor's process. If it does not serve, it ends when this is dropped.
struct Heir {
    process: Child,
    /// The file by which it says so; its clients may be there before we have looked.
    serves: PathBuf,
}

impl Drop for Heir {
    fn drop(&mut self) {
        if !self.serves.exists() {
            // Fails only if it has ended by itself.
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// Waits for a file of the successor's.
async fn appears(file: &Path, child: &mut Child, until: Instant) -> Result<()> {
    while !file.exists() {
        if let Some(status) = child.try_wait()? {
            bail!("the successor ended before it served ({status}); its log says why");
        }
        if Instant::now() > until {
            bail!("the successor did not serve within {PATIENCE:?}");
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// The handover that this process was started for, if it was.
pub(super) struct TakeOver(Option<PathBuf>);

impl TakeOver {
    /// As the predecessor says.
    pub(super) fn asked() -> Self {
        Self(std::env::var_os(FOLDER).map(PathBuf::from))
    }

    /// Where the listeners come from.
    pub(super) fn socket(&self) -> Option<String> {
        let folder = self.0.as_ref()?;
        Some(folder.join(SOCKET).display().to_string())
    }

    /// Clients are served now: the predecessor may end.
    pub(super) fn serves(&self) {
        if let Some(folder) = &self.0
            && let Err(error) = File::create(folder.join(SERVES))
        {
            tracing::error!(%error, "the process before cannot be told to end");
        }
    }
}
