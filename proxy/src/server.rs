//! Builds the Pingora server: the gateway for clients, the admin listener and
//! the reloader, each with threads of its own; and stops it when the last
//! exchange has ended.

mod drain;
mod notify;
mod upgrade;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use parking_lot::Mutex;
use pingora_core::server::configuration::{Opt, ServerConf};
use pingora_core::server::{ListenFds, RunArgs, Server, ShutdownWatch};
use pingora_core::services::background::{BackgroundService, background_service};
use pingora_core::services::listening;
use pingora_core::services::{ServiceReadyNotifier, ServiceWithDependents};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::signal::unix::SignalKind;
use tokio::sync::watch;

use crate::admin::{Admin, Phase};
use crate::config;
use crate::filter::Live;
use crate::filter::reload::{Reloader, Trigger};
use crate::gateway::{Accounts, Front, Gateway, limiter};
use crate::ledger::Ledger;
use crate::observe::{Gauge, Registry};
use crate::shared_limits::{SharedLimits, share};
use crate::upstream::health;
use drain::{Drain, listen_to};
use upgrade::{Listeners, Successor, TakeOver};

/// Serves until told to stop.
///
/// # Errors
/// When an address cannot be listened on.
pub fn run(reloader: Reloader, trigger: Trigger, registry: &Arc<Registry>) -> Result<()> {
    let live = reloader.live();
    let started = live.current();
    let config = &started.config;
    let take_over = TakeOver::asked();
    if take_over.socket().is_none() {
        let addresses = config.server.listen.iter().chain([&config.admin.listen]);
        addresses.copied().try_for_each(try_to_listen)?;
    }
    let phase = Arc::new(Phase::default());
    let (stop, stopped) = watch::channel(false);
    let ledger = config.usage_file.as_deref().map(Ledger::open).transpose()?;
    let ledger = ledger.map(Arc::new);
    let sharing = config.shared_limits.as_ref();
    let limiter = Arc::new(share(limiter(ledger.clone()), sharing));
    let shared = sharing.map(|sharing| SharedLimits::new(sharing, limiter.clone(), registry));
    let shared = shared.transpose()?;
    let shared = shared.map(|shared| Arc::new(tokio::sync::Mutex::new(shared)));
    let accounts = Accounts::new(limiter, ledger.clone());
    let gateway = Gateway::new(live.clone(), accounts, registry)?;
    let care = Care::new(live.clone(), registry)?;
    let listeners = Listeners::default();
    let drain = Drain {
        stop,
        running: gateway.running(),
        phase: phase.clone(),
        live: live.clone(),
        successor: Successor::new(listeners.clone())?,
    };
    let sweep = Sweep {
        live: live.clone(),
        ledger: ledger.clone(),
        failed_writes: registry.gauge("usage.failed_writes", &[])?,
        registry: registry.clone(),
        lost_lines: registry.gauge("access_log.lost_lines", &[])?,
    };
    let admin = Admin {
        live,
        status: reloader.status(),
        trigger,
        registry: registry.clone(),
        phase: phase.clone(),
    };
    let opt = Opt {
        upgrade: take_over.socket().is_some(),
        ..Opt::default()
    };
    let conf = conf(&config.server, &take_over);
    let mut server = Server::new_with_opt_and_conf(opt, conf);
    // Where listeners are taken over, this waits for them.
    server.bootstrap();
    let opening = Opening {
        stopped,
        phase,
        listeners,
        take_over,
    };
    server.add_service(clients(gateway, &config.server, opening));
    server.add_service(operators(admin, &config.admin));
    server.add_service(background_service("reload", Reload::new(reloader)));
    server.add_service(background_service("sweep", sweep));
    server.add_service(background_service("health", care));
    if let Some(shared) = &shared {
        let mut service = background_service("shared limits", Shared(shared.clone()));
        service.threads = Some(1);
        server.add_service(service);
    }
    drop(started);
    server.run(RunArgs {
        shutdown_signal: Box::new(drain),
    });
    if let Some(shared) = shared {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async { shared.lock().await.leave().await });
    }
    if let Some(ledger) = ledger {
        ledger.flush()?;
    }
    registry.shutdown();
    Ok(())
}

/// Fails with a message for people, where Pingora would retry and then panic.
fn try_to_listen(address: SocketAddr) -> Result<()> {
    TcpListener::bind(address).with_context(|| {
        format!("cannot listen on {address}; stop what does, or change the configuration")
    })?;
    Ok(())
}

fn conf(server: &config::Server, take_over: &TakeOver) -> ServerConf {
    ServerConf {
        upgrade_sock: take_over.socket().unwrap_or_default(),
        threads: server.threads,
        // Our own signal waits for exchanges; after it there is nothing to wait for.
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    }
}

fn clients(gateway: Gateway, config: &config::Server, opening: Opening) -> Clients {
    let mut service = listening::Service::new("clients".to_owned(), Front::new(gateway));
    for address in &config.listen {
        service.add_tcp(&address.to_string());
    }
    Clients {
        service,
        opening,
        addresses: config.listen.clone(),
    }
}

fn operators(admin: Admin, config: &config::Admin) -> listening::Service<Admin> {
    let mut service = listening::Service::new("admin".to_owned(), admin);
    service.threads = Some(1);
    service.add_tcp(&config.listen.to_string());
    service
}

/// The listeners for clients. They close when our own signal says so, not with
/// Pingora's: by then the exchanges would be cut.
struct Clients {
    service: listening::Service<Front>,
    opening: Opening,
    addresses: Vec<SocketAddr>,
}

/// When clients are served, who is to know, and until when.
struct Opening {
    stopped: ShutdownWatch,
    phase: Arc<Phase>,
    listeners: Listeners,
    take_over: TakeOver,
}

impl Opening {
    fn serves(&self) {
        self.phase.serving();
        notify::serving();
        self.take_over.serves();
    }
}

#[async_trait]
impl ServiceWithDependents for Clients {
    async fn start_service(
        &mut self,
        fds: Option<ListenFds>,
        _shutdown: ShutdownWatch,
        listeners_per_fd: usize,
        ready: ServiceReadyNotifier,
    ) {
        if let Some(fds) = &fds {
            self.opening.listeners.get_or_init(|| fds.clone());
        }
        let serve = ServiceWithDependents::start_service(
            &mut self.service,
            fds,
            self.opening.stopped.clone(),
            listeners_per_fd,
            ready,
        );
        let open = async {
            for address in &self.addresses {
                connectable(*address).await;
            }
            self.opening.serves();
            let id = std::process::id();
            tracing::info!(addresses = ?self.addresses, process = id, "serving");
        };
        tokio::join!(serve, open);
    }

    fn name(&self) -> &str {
        ServiceWithDependents::name(&self.service)
    }

    fn listen_addresses(&self) -> Option<Vec<String>> {
        ServiceWithDependents::listen_addresses(&self.service)
    }
}

/// Waits until a listener of ours takes connections. Pingora does not say when
/// it has bound, and being ready is nothing else.
async fn connectable(address: SocketAddr) {
    let reachable = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    while TcpStream::connect((reachable, address.port()))
        .await
        .is_err()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The reloader as a service.
struct Reload(Mutex<Option<Reloader>>);

impl Reload {
    fn new(reloader: Reloader) -> Self {
        Self(Mutex::new(Some(reloader)))
    }
}

#[async_trait]
impl BackgroundService for Reload {
    async fn start(&self, _shutdown: ShutdownWatch) {
        let reloader = self.0.lock().take();
        let reloader = reloader.expect("a service is started once");
        reloader.run(listen_to(SignalKind::hangup())).await;
    }
}

/// Closes connections to endpoints that nobody needed for long, and shows
/// whether usage can be written down.
struct Sweep {
    live: Arc<Live>,
    ledger: Option<Arc<Ledger>>,
    failed_writes: Arc<Gauge>,
    registry: Arc<Registry>,
    lost_lines: Arc<Gauge>,
}

/// How often it looks.
const SWEEP: Duration = Duration::from_secs(10);

#[async_trait]
impl BackgroundService for Sweep {
    async fn start(&self, _shutdown: ShutdownWatch) {
        loop {
            tokio::time::sleep(SWEEP).await;
            self.live.current().pools.sweep(Instant::now());
            if let Some(ledger) = &self.ledger {
                show(&self.failed_writes, ledger.failures());
            }
            show(&self.lost_lines, self.registry.access_log().lost());
        }
    }
}

fn show(gauge: &Gauge, number: u64) {
    let shown = gauge.set(i64::try_from(number).unwrap_or(i64::MAX), &[]);
    shown.expect("it has no labels");
}

/// Looking after endpoints as a service.
struct Care {
    live: Arc<Live>,
    meters: Arc<health::Meters>,
}

impl Care {
    fn new(live: Arc<Live>, registry: &Registry) -> Result<Self> {
        let meters = Arc::new(health::Meters::new(registry)?);
        Ok(Self { live, meters })
    }
}

#[async_trait]
impl BackgroundService for Care {
    async fn start(&self, _shutdown: ShutdownWatch) {
        let pools = || self.live.current().pools.clone();
        health::look_after(pools, self.meters.clone()).await;
    }
}

/// Keeping limits in step with other gateways as a service.
struct Shared(Arc<tokio::sync::Mutex<SharedLimits>>);

#[async_trait]
impl BackgroundService for Shared {
    async fn start(&self, _shutdown: ShutdownWatch) {
        self.0.lock().await.run().await;
    }
}
