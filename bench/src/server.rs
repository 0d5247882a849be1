//! A server as a process of its own: started on a core, awaited, read for CPU
//! time and memory, ended with its owner.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::ClockId;
use nix::unistd::Pid;
use procfs::process::Process;

use crate::cores;
use crate::load::Client;

/// Longest time from start to ready: filters are compiled in it.
const START_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it serves.
    pub(crate) address: SocketAddr,
    child: Child,
    log: PathBuf,
}

/// Time in which threads could have run and did not (`/proc/PID/schedstat`).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waited {
    time: Duration,
    runs: u64,
}

impl Waited {
    /// Mean wait of a run since `before`, milliseconds.
    pub(crate) fn mean_ms_since(&self, before: &Self) -> f64 {
        let time = self.time.saturating_sub(before.time);
        let runs = self.runs.saturating_sub(before.runs);
        time.as_secs_f64() * 1e3 / runs.max(1) as f64
    }
}

impl Server {
    /// Starts `command` on `core`, with its output in a file of `folder`.
    pub(crate) fn start(
        mut command: Command,
        address: SocketAddr,
        core: usize,
        folder: &Path,
    ) -> Result<Self> {
        let log = folder.join(format!("{}.log", address.port()));
        let output =
            File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let program = command.get_program().to_owned();
        let child = cores::on(core, || command.spawn())?;
        let child = child.with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self {
            address,
            child,
            log,
        })
    }

    /// Waits until `GET path` at `address` is answered with 200.
    pub(crate) async fn ready(&mut self, address: SocketAddr, path: &str) -> Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: bench.local\r\n\r\n");
        let begun = Instant::now();
        loop {
            let Err(error) = probe(address, &request).await else {
                return Ok(());
            };
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended at once ({status}): {}", self.said());
            }
            if begun.elapsed() > START_LIMIT {
                let said = self.said();
                return Err(error.context(format!("not ready after {START_LIMIT:?}: {said}")));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// CPU time of all its threads so far, those that ended too.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        let clock =
            ClockId::pid_cpu_clock_id(self.pid()?).context("no CPU clock: has it ended?")?;
        Ok(clock.now().context("cannot read its CPU clock")?.into())
    }

    /// How long its threads have waited for their core since they began, and how
    /// often they ran.
    pub(crate) fn waited(&self) -> Result<Waited> {
        let mut all = Waited::default();
        for task in Process::new(self.pid()?.as_raw())?.tasks()? {
            let path = format!("/proc/{0}/task/{1}/schedstat", self.pid()?, task?.tid);
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {path}; is CONFIG_SCHED_INFO set?"))?;
            let mut numbers = text.split_ascii_whitespace().map(str::parse::<u64>);
            let (Some(Ok(_ran)), Some(Ok(waited)), Some(Ok(runs))) =
                (numbers.next(), numbers.next(), numbers.next())
            else {
                bail!("{path} has not what the kernel's documentation says: {text}");
            };
            all.time += Duration::from_nanos(waited);
            all.runs += runs;
        }
        Ok(all)
    }

    /// Resident memory, bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let status = Process::new(self.pid()?.as_raw())?.status()?;
        Ok(status.vmrss.context("no resident memory: has it ended?")? * 1024)
    }

    fn pid(&self) -> Result<Pid> {
        Ok(Pid::from_raw(self.child.id().try_into()?))
    }

    /// Its output, for a failure's message.
    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_else(|error| error.to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only if it has ended already, which is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn probe(address: SocketAddr, request: &str) -> Result<()> {
    Client::connect(address)
        .await?
        .ask(request.as_bytes())
        .await
        .map(drop)
}

/// A loopback address that nobody listens on.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}

/// Lets this process and its servers hold as many sockets as the system allows.
pub(crate) fn raise_file_limit() -> Result<()> {
    let (_, most) =
        getrlimit(Resource::RLIMIT_NOFILE).context("cannot read the limit of open files")?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("cannot raise the limit of open files")
}
