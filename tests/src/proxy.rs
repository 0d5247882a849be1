//! The gateway under test, in a process of its own.

mod admin;
mod ask;
mod endpoints;
mod process;
mod reload;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::setup::FILE;
use crate::{ModelServer, Port, Ran, Setup, run, until};
pub use admin::{Live, LiveFilter, Refused};
pub use ask::http2_client;
pub use endpoints::EndpointState;
use process::Process;

/// A running gateway. It is killed when dropped.
pub struct TestProxy {
    process: Process,
    /// What it runs by, unless a test wrote the file itself.
    setup: Setup,
    client: reqwest::Client,
    at: Ports,
    folder: TempDir,
}

/// Where it listens.
struct Ports {
    clients: Port,
    admin: Port,
}

impl TestProxy {
    /// A gateway to be, without pools yet.
    #[expect(clippy::new_ret_no_self, reason = "it is started when it is set up")]
    pub fn new() -> Setup {
        Setup::default()
    }

    /// A gateway to be before one model server, whose name is its pool's.
    pub fn to(model: &ModelServer) -> Setup {
        Self::new().model(model)
    }

    /// Its folder, in which the configuration and modules are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.folder().join(FILE)
    }

    /// Where clients go.
    pub fn address(&self) -> SocketAddr {
        self.at.clients.address()
    }

    /// Where operators go.
    pub fn admin_address(&self) -> SocketAddr {
        self.at.admin.address()
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Setup {
    /// Starts the gateway, and waits until it serves.
    ///
    /// # Panics
    /// When it ends instead.
    pub async fn start(self) -> TestProxy {
        self.start_in(new_folder()).await
    }

    /// Starts the gateway by a folder, into which its configuration and modules
    /// are written; where there are symlinks, through them.
    ///
    /// # Panics
    /// When it ends instead.
    pub async fn start_in(mut self, mut folder: TempDir) -> TestProxy {
        let client = reqwest::Client::builder().no_proxy().build();
        let client = client.expect("a client without options can be made");
        loop {
            let at = Ports::free();
            self.change("server.listen", at.clients.address().to_string());
            self.change("admin.listen", at.admin.address().to_string());
            self.write(folder.path());
            let proxy = TestProxy {
                process: Process::start(&folder.path().join(FILE), &self),
                setup: self,
                client: client.clone(),
                at,
                folder,
            };
            match proxy.serves().await {
                Ok(()) => return proxy,
                // Somebody was quicker to take the port.
                Err(log) if log.contains("cannot listen on") => {
                    TestProxy {
                        setup: self,
                        folder,
                        ..
                    } = proxy;
                }
                Err(log) => panic!("the gateway did not start:\n{log}"),
            }
        }
    }

    /// Runs `headworks check` over it.
    pub fn check(&self) -> Ran {
        let folder = new_folder();
        self.write(folder.path());
        run(["check".as_ref(), folder.path().join(FILE).as_os_str()])
    }

    /// Runs the gateway to its end, where it is not to start.
    pub fn run(&self) -> Ran {
        let folder = new_folder();
        self.write(folder.path());
        let file = folder.path().join(FILE);
        run(["run".as_ref(), "--config".as_ref(), file.as_os_str()])
    }
}

fn new_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("headworks-test-").tempdir();
    folder.expect("there is a folder for temporary files")
}

impl Ports {
    fn free() -> Self {
        Self {
            clients: Port::free(),
            admin: Port::free(),
        }
    }
}

impl TestProxy {
    /// Waits until it serves; its log if it has ended instead.
    async fn serves(&self) -> Result<(), String> {
        until("the gateway serves", async || {
            if self.process.has_ended() {
                return Some(Err(self.logs()));
            }
            let ready = self.try_admin("/readyz").await?.status() == 200;
            // Whoever listens there might be another.
            let ours = ready && self.live().await?.file == self.config_file();
            ours.then_some(Ok(()))
        })
        .await
    }
}
