//! Starts and stops a server: its socket, its HTTP thread and its clock.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::api::{self, App};
use crate::faults::Fault;
use crate::options::{Options, StartError};
use crate::socket::{Door, Socket};
use crate::stats::Snapshot;

/// Starts model servers.
pub struct Server;

impl Server {
    /// Starts a server on threads of its own; it answers when this returns.
    ///
    /// # Errors
    /// When the options make no sense, the group is full or the address is taken.
    pub fn start(options: Options) -> Result<Running, StartError> {
        options.check()?;
        let wanted = SocketAddr::new(options.host, options.port);
        let seed = options.seed;
        let app = App::new(options)?;
        serve(app, wanted, seed).map_err(|error| StartError::Serve(wanted, error))
    }
}

fn serve(app: Arc<App>, wanted: SocketAddr, seed: u64) -> std::io::Result<Running> {
    let listener = std::net::TcpListener::bind(wanted)?;
    let address = listener.local_addr()?;
    // One thread: a stub shall cost what a model server's router costs, no more.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    // Not by blocking on it: the caller may be in a runtime of its own.
    let inside = runtime.enter();
    let door = Door::new(listener)?;
    drop(inside);
    app.engine.start_clock(seed)?;
    let (stop, stopped) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("stub-http".to_owned())
        .spawn({
            let app = app.clone();
            move || {
                answer(runtime, door, app, stopped);
                // Nobody may be waiting for the end.
                let _ = end.send(());
            }
        })?;
    Ok(Running {
        address,
        app,
        stop: Some(stop),
        ended,
        thread: Some(thread),
    })
}

/// How a server is asked to stop; dropping the sender kills it.
struct Finish;

fn answer(runtime: Runtime, door: Door, app: Arc<App>, stop: oneshot::Receiver<Finish>) {
    let engine = app.engine.clone();
    let service = api::router(app).into_make_service_with_connect_info::<Socket>();
    let (finish, finishing) = oneshot::channel::<()>();
    runtime.block_on(async {
        let serving = runtime.spawn(
            axum::serve(door, service)
                .with_graceful_shutdown(async {
                    // Sent or dropped, either way it is time.
                    let _ = finishing.await;
                })
                .into_future(),
        );
        if stop.await.is_ok() {
            drop(finish);
            if let Ok(Err(error)) = serving.await {
                eprintln!("the server ended early: {error}");
            }
        }
    });
    // Drops the connections that are still open: clients see a truncated answer.
    drop(runtime);
    engine.stop();
}

/// A server that runs until it is shut down, killed or dropped.
pub struct Running {
    address: SocketAddr,
    app: Arc<App>,
    stop: Option<oneshot::Sender<Finish>>,
    ended: oneshot::Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The counters of the moment.
    pub fn stats(&self) -> Snapshot {
        self.app.snapshot()
    }

    /// Lets something go wrong from now on.
    pub fn inject(&self, fault: impl Into<Fault>) {
        self.app.inject([fault.into()]);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.app.clear_faults();
    }

    /// As SIGTERM: refuses new connections and returns when running requests have ended.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            // Fails only if the server has ended already.
            let _ = stop.send(Finish);
        }
        // An error means the same as the message: the thread is gone.
        let _ = (&mut self.ended).await;
    }

    /// As SIGKILL: open answers are cut off.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed by it.
            let _ = thread.join();
        }
    }
}
