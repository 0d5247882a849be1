//! Replaces the live generation when the configuration or a filter's file
//! changes. What cannot be loaded changes nothing but what is said of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, oneshot};

use super::{Generation, Live, Loader};
use crate::config::{Config, Watch};
use crate::observe::{Counter, Gauge, RegisterError, Registry};

/// What there is to say of reloads besides what is live.
#[derive(Debug, Default)]
pub struct Status(Mutex<Report>);

/// The last reload, and what waits for a restart.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The configuration that was not applied, if that was the last.
    pub refused: Option<Refused>,
    /// Keys whose change needs a restart.
    pub restart_needed: Vec<&'static str>,
}

/// A configuration that was not applied.
#[derive(Debug, Clone)]
pub struct Refused {
    /// When.
    pub at: SystemTime,
    /// Everything that is wrong with it.
    pub reason: String,
}

/// Asks for a reload and waits for its end.
#[derive(Clone)]
pub struct Trigger(mpsc::Sender<oneshot::Sender<Result<u64, String>>>);

/// Loads what has changed, for as long as it runs.
pub struct Reloader {
    path: PathBuf,
    loader: Arc<Loader>,
    live: Arc<Live>,
    /// What the process was started with.
    started: Config,
    status: Arc<Status>,
    watch: Watch,
    triggers: mpsc::Receiver<oneshot::Sender<Result<u64, String>>>,
    meters: Meters,
}

struct Meters {
    reloads: Arc<Counter>,
    /// 1 while what the files say is not what is live.
    refused: Arc<Gauge>,
    generation: Arc<Gauge>,
}

impl Status {
    /// As of now.
    pub fn report(&self) -> Report {
        self.0.lock().clone()
    }
}

impl Trigger {
    /// Reloads; the new generation, or why there is none.
    pub async fn reload(&self) -> Result<u64, String> {
        let (answer, answered) = oneshot::channel();
        let stopped = || "the gateway is about to stop".to_owned();
        self.0.send(answer).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Reloader {
    /// Loads the first generation.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration.
    pub fn start(
        path: PathBuf,
        loader: Loader,
        registry: &Registry,
    ) -> anyhow::Result<(Self, Trigger)> {
        // Watched before it is read, so that no change in between is missed.
        let watch = Watch::start([path.clone()])?;
        let config = Config::load(&path)?;
        futures::executor::block_on(watch.replace(files(&path, &config)));
        let meters = Meters::new(registry)?;
        let first = loader.prepare(config.clone(), None)?;
        first.chain.show_breakers_closed();
        meters.applied(&first);
        let (trigger, triggers) = mpsc::channel(1);
        let reloader = Self {
            path,
            loader: Arc::new(loader),
            live: Arc::new(Live::new(first)),
            started: config,
            status: Arc::default(),
            watch,
            triggers,
            meters,
        };
        Ok((reloader, Trigger(trigger)))
    }

    /// What it keeps up to date.
    pub fn live(&self) -> Arc<Live> {
        self.live.clone()
    }

    /// What it says of the last reload.
    pub fn status(&self) -> Arc<Status> {
        self.status.clone()
    }

    /// Reloads on every change, SIGHUP and trigger.
    pub async fn run(mut self, mut hangup: Signal) {
        loop {
            let asked = tokio::select! {
                () = self.watch.changed() => None,
                _ = hangup.recv() => None,
                Some(answer) = self.triggers.recv() => Some(answer),
            };
            let result = self.reload().await;
            if let Some(answer) = asked {
                // Whoever asked may not wait any more.
                answer.send(result).ok();
            }
        }
    }

    async fn reload(&self) -> Result<u64, String> {
        match self.next().await {
            Ok(next) => Ok(self.apply(next)),
            Err(reason) => {
                self.refuse(reason.clone());
                Err(reason)
            }
        }
    }

    async fn next(&self) -> Result<Generation, String> {
        let config = Config::load(&self.path).map_err(|problems| problems.to_string())?;
        self.watch.replace(files(&self.path, &config)).await;
        let (loader, last) = (self.loader.clone(), self.live.current());
        let loaded = tokio::task::spawn_blocking(move || loader.prepare(config, Some(&last)));
        match loaded.await {
            Ok(next) => next.map_err(|problems| problems.to_string()),
            Err(panic) => Err(format!(
                "loading it failed, which is a fault of ours: {panic}"
            )),
        }
    }

    fn apply(&self, next: Generation) -> u64 {
        let id = next.id;
        let restart_needed = restart_needed(&self.started, &next.config);
        for key in &restart_needed {
            tracing::warn!("the change of {key} needs a restart");
        }
        self.meters.applied(&next);
        self.live.current().chain.show_breakers_closed();
        next.chain.show_breakers_closed();
        self.live.replace(next);
        *self.status.0.lock() = Report {
            refused: None,
            restart_needed,
        };
        tracing::info!(generation = id, "the configuration is live");
        id
    }

    fn refuse(&self, reason: String) {
        tracing::error!("the configuration is not applied, the last one stays: {reason}");
        self.meters.refused();
        self.status.0.lock().refused = Some(Refused {
            at: SystemTime::now(),
            reason,
        });
    }
}

/// What is to be watched for a configuration.
fn files(path: &Path, config: &Config) -> Vec<PathBuf> {
    let modules = config.other_files().map(ToOwned::to_owned);
    std::iter::once(path.to_owned()).chain(modules).collect()
}

/// The keys of changes that a reload does not apply.
fn restart_needed(old: &Config, new: &Config) -> Vec<&'static str> {
    let changed = [
        ("server.listen", old.server.listen != new.server.listen),
        ("server.threads", old.server.threads != new.server.threads),
        ("admin.listen", old.admin.listen != new.admin.listen),
        ("usage.file", old.usage_file != new.usage_file),
        ("shared_limits", old.shared_limits != new.shared_limits),
    ];
    let changed = changed.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(key, _)| key).collect()
}

impl Meters {
    fn new(registry: &Registry) -> Result<Self, RegisterError> {
        Ok(Self {
            reloads: registry.counter("reloads.{result}", &["result".to_owned()])?,
            refused: registry.gauge("reload.refused", &[])?,
            generation: registry.gauge("generation", &[])?,
        })
    }

    fn applied(&self, generation: &Generation) {
        let id = i64::try_from(generation.id).unwrap_or(i64::MAX);
        self.generation.set(id, &[]).expect("it has no labels");
        self.count("applied", 0);
    }

    fn refused(&self) {
        self.count("refused", 1);
    }

    fn count(&self, result: &str, refused: i64) {
        self.reloads.add(1, &[result]).expect("it has one label");
        self.refused.set(refused, &[]).expect("it has no labels");
    }
}
