//! How quiet the machine was: what others ran on our two cores meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use procfs::{CpuTime, CurrentSI, KernelStats};
use serde::Serialize;

use crate::cores::Cores;

/// From this share of a core on, a measurement counts as disturbed.
const DISTURBING: f64 = 0.05;

/// What both cores had done at a moment.
#[derive(Debug)]
pub(crate) struct Reading {
    at: Instant,
    busy: Duration,
    stolen: Duration,
}

/// What others took of our cores, as shares of one core.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Noise {
    /// Other processes of this machine.
    pub(crate) others: f64,
    /// Other machines on the same hardware.
    pub(crate) stolen: f64,
}

impl Reading {
    /// Reads both cores now.
    pub(crate) fn take(cores: Cores) -> Result<Self> {
        let stats = KernelStats::current().context("cannot read /proc/stat")?;
        let (mut busy, mut stolen) = (Duration::ZERO, Duration::ZERO);
        for number in [cores.load, cores.proxy] {
            let core = stats.cpu_time.get(number);
            let core =
                core.with_context(|| format!("/proc/stat does not tell of core {number}"))?;
            busy += worked(core);
            stolen += core.steal_duration().unwrap_or_default();
        }
        Ok(Self {
            at: Instant::now(),
            busy,
            stolen,
        })
    }

    /// What others took since, if our own processes took `ours`.
    pub(crate) fn until(&self, end: &Self, ours: Duration) -> Noise {
        let wall = end.at.duration_since(self.at).as_secs_f64();
        let busy = end.busy.saturating_sub(self.busy);
        let stolen = end.stolen.saturating_sub(self.stolen);
        Noise {
            others: busy.saturating_sub(ours).as_secs_f64() / wall,
            stolen: stolen.as_secs_f64() / wall,
        }
    }
}

impl Noise {
    /// Whether a measurement made meanwhile deserves distrust.
    pub(crate) fn disturbs(&self) -> bool {
        self.others + self.stolen > DISTURBING
    }
}

fn worked(core: &CpuTime) -> Duration {
    core.user_duration() + core.nice_duration() + core.system_duration()
}
