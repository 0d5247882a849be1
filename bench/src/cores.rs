//! Which core does what: the proxies have one for themselves, the load and
//! the model server share another.

use anyhow::{Context, Result, bail};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use serde::Serialize;

/// The calling thread, to the kernel.
const THIS_THREAD: Pid = Pid::from_raw(0);

/// Two of the cores that this process may use, by number.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Cores {
    /// For the load and the model server.
    pub(crate) load: usize,
    /// For the proxies.
    pub(crate) proxy: usize,
}

impl Cores {
    /// The first two cores that this process may use.
    ///
    /// # Errors
    /// If there is only one: what the load costs would then blur everything.
    pub(crate) fn choose() -> Result<Self> {
        let allowed =
            sched_getaffinity(THIS_THREAD).context("cannot read which cores are usable")?;
        let mut numbers = (0..CpuSet::count()).filter(|core| allowed.is_set(*core) == Ok(true));
        match (numbers.next(), numbers.next()) {
            (Some(load), Some(proxy)) => Ok(Self { load, proxy }),
            _ => bail!(
                "the bench needs two cores, one for the proxy and one for its load, but may use one only"
            ),
        }
    }
}

/// Keeps the calling thread, and what it starts from now on, on one core.
pub(crate) fn pin(core: usize) -> Result<()> {
    let mut only = CpuSet::new();
    only.set(core).with_context(|| format!("no core {core}"))?;
    sched_setaffinity(THIS_THREAD, &only).with_context(|| format!("cannot pin to core {core}"))
}

/// Calls `start` on `core`: a process started there stays there, with all its threads.
pub(crate) fn on<T>(core: usize, start: impl FnOnce() -> T) -> Result<T> {
    let before = sched_getaffinity(THIS_THREAD).context("cannot read which cores are usable")?;
    pin(core)?;
    let started = start();
    sched_setaffinity(THIS_THREAD, &before).context("cannot pin back")?;
    Ok(started)
}
