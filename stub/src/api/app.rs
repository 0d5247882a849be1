//! What all requests share.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::engine::Engine;
use crate::faults::{Fault, Faults, Kind};
use crate::group::Group;
use crate::metrics::Metrics;
use crate::options::{Dialect, Options, StartError};
use crate::profile::Profile;
use crate::script::ModelName;
use crate::stats::{Snapshot, Stats};

/// The release whose protocol the stub speaks.
pub(super) const TGI_VERSION: &str = "3.3.7";
/// `system_fingerprint` of answers.
pub(super) const FINGERPRINT: &str = "3.3.7-native";
/// `x-compute-type` of answers.
pub(super) const COMPUTE_TYPE: &str = "gpu+optimized";

/// What all requests share.
pub(crate) struct App {
    pub(crate) engine: Arc<Engine>,
    pub(super) options: Options,
    pub(super) name: Arc<ModelName>,
    pub(super) faults: Arc<Faults>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) frozen_metrics: Mutex<Option<String>>,
    pub(super) slots: Arc<Semaphore>,
    /// How many slots there are.
    room: usize,
    pub(super) stats: Stats,
}

impl App {
    pub(crate) fn new(options: Options) -> Result<Arc<Self>, StartError> {
        let faults = Arc::new(Faults::new(options.seed));
        faults.add(options.faults.iter().cloned());
        let metrics = Arc::new(Metrics::default());
        let room = match options.dialect {
            Dialect::Tgi => options.limits.max_concurrent_requests,
            Dialect::OpenAi => Semaphore::MAX_PERMITS,
        };
        let engine = Engine::new(
            options.profile.timing(),
            options.speed,
            join_group(&options)?,
            faults.clone(),
            metrics.clone(),
        );
        Ok(Arc::new(Self {
            engine,
            name: Arc::new(ModelName::new(&options.model_id)),
            faults,
            metrics,
            frozen_metrics: Mutex::new(None),
            slots: Arc::new(Semaphore::new(room)),
            room,
            stats: Stats::default(),
            options,
        }))
    }

    pub(crate) fn inject(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.add(faults);
        self.engine.faults_changed();
    }

    pub(crate) fn clear_faults(&self) {
        self.faults.clear();
        self.engine.faults_changed();
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let occupancy = self.engine.occupancy();
        Snapshot {
            seen: self.stats.seen.get(),
            finished: self.stats.finished.get(),
            refused: self.stats.refused.get(),
            faulted: self.stats.faulted.get(),
            cancelled: occupancy.cancelled,
            open: self.room - self.slots.available_permits(),
            queued: occupancy.queued,
            running: occupancy.running,
            tokens: self.engine.tokens(),
            told_prompts: self.stats.told_prompts.get(),
            cached_tokens: occupancy.cached,
            told_tokens: self.stats.told_tokens.get(),
            lateness: self.engine.lateness(),
            last: self.stats.last(),
        }
    }

    /// Whether a fault of this kind acts now.
    pub(super) fn fault_acts(&self, kind: Kind) -> bool {
        self.faults.acts(kind, Instant::now())
    }
}

fn join_group(options: &Options) -> Result<Option<Group>, StartError> {
    if options.profile != Profile::SharedGpu {
        return Ok(None);
    }
    let joined = Group::join(&options.group).map(Some);
    joined.map_err(|error| StartError::Group(options.group.clone(), error))
}
