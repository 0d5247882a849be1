//! Makes runs. On sockets: fresh servers, a plan sent, figures read off; one in
//! which the machine was in the way is void and made again.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use futures::stream::{self, StreamExt as _};
use nix::time::ClockId;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::counters::{self, Stalls, Totals};
use super::figures;
use super::generator::{self, Target};
use super::job::Job;
use super::options::Options;
use super::plan::Plan;
use super::results::Results;
use super::rig::{self, Place, Rig};
use super::row::{Row, Time};
use super::scenario::{Span, Window};
use super::simulate;
use crate::noise::Reading;
use crate::server::Server;

/// A run with later passes, or later requests, does not count. Milliseconds.
const MOST_STEP_LATENESS: f64 = 0.5;
const MOST_GENERATOR_LATENESS: f64 = 10.0;
/// Nor one whose gateway waited longer for its core each time it had something to do.
const MOST_GATEWAY_WAIT: f64 = 0.5;

/// How runs are made.
#[derive(Debug)]
pub(crate) enum Maker {
    /// On real sockets, as many at a time as was asked for.
    OnSockets(Box<Place>),
    /// In simulated time, as many at a time as there are cores.
    Simulated {
        /// Of this program, which has all that runs in it.
        version: String,
    },
}

impl Maker {
    /// As was asked for.
    pub(crate) fn find(options: &Options) -> Result<Self> {
        if options.simulate {
            let this = std::env::current_exe().context("cannot tell where this binary is")?;
            let version = rig::version_of([this])?;
            return Ok(Self::Simulated { version });
        }
        Ok(Self::OnSockets(Box::new(Place::find(options)?)))
    }

    /// Which time passes in them.
    pub(crate) fn time(&self) -> Time {
        match self {
            Self::OnSockets(_) => Time::Real,
            Self::Simulated { .. } => Time::Simulated,
        }
    }

    /// Makes those runs that the results do not have, and adds them.
    pub(crate) async fn run(
        &self,
        jobs: &[Job],
        options: &Options,
        results: &mut Results,
    ) -> Result<()> {
        let mut wanted = Vec::new();
        for job in jobs {
            let row = self.row(job)?;
            if options.again || results.made(&row).is_none() {
                wanted.push((*job, row));
            } else {
                eprintln!("{job}: made before");
            }
        }
        match self {
            Self::OnSockets(place) => {
                if wanted.is_empty() {
                    return Ok(());
                }
                let seconds: f64 = wanted.iter().map(|(job, _)| job.seconds()).sum();
                let minutes = seconds / options.at_once as f64 / 60.0;
                eprintln!("{} runs to make, {minutes:.0} minutes", wanted.len());
                let run = |(job, row): (Job, Row)| async move {
                    (job, job.run(place, &row, options.attempts).await)
                };
                let mut runs = stream::iter(wanted)
                    .map(run)
                    .buffer_unordered(options.at_once);
                while let Some((job, made)) = runs.next().await {
                    add(&job, made, results)?;
                }
            }
            Self::Simulated { .. } => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                for some in wanted.chunks(cores) {
                    simulate_at_once(some, results)?;
                }
            }
        }
        Ok(())
    }

    /// What tells the run from others, without figures yet.
    fn row(&self, job: &Job) -> Result<Row> {
        Ok(Row {
            case: job.case.id.to_owned(),
            policy: Some(job.policy),
            rate: job.rate,
            seed: job.seed,
            scale: job.scale,
            time: self.time(),
            objective_s: job.case.objective.of(rig::USUAL_ANSWER),
            version: match self {
                Self::OnSockets(place) => place.version(job.policy)?,
                Self::Simulated { version } => version.clone(),
            },
            ..Row::default()
        })
    }
}

fn simulate_at_once(wanted: &[(Job, Row)], results: &mut Results) -> Result<()> {
    let made: Vec<_> = std::thread::scope(|scope| {
        let start = |(job, row): &(Job, Row)| {
            let (job, row) = (*job, row.clone());
            (job, scope.spawn(move || simulate::run(&job, row)))
        };
        let started: Vec<_> = wanted.iter().map(start).collect();
        started
            .into_iter()
            .map(|(job, run)| (job, run.join()))
            .collect()
    });
    for (job, row) in made {
        let row = row.map_err(|_| anyhow!("{job}: the simulation panicked"))?;
        add(&job, row, results)?;
    }
    Ok(())
}

fn add(job: &Job, made: Result<Row>, results: &mut Results) -> Result<()> {
    let row = made.with_context(|| job.to_string())?;
    eprintln!("{job}: {}", row.summary());
    results.add(row)
}

impl Job {
    /// Runs it until it counts, so often at most; the last one is returned.
    async fn run(&self, place: &Place, wanted: &Row, attempts: u32) -> Result<Row> {
        let mut row = self.once(place, wanted).await?;
        for _ in 1..attempts {
            if row.void.is_empty() {
                break;
            }
            eprintln!("{self}: void, once more: {}", row.void);
            row = self.once(place, wanted).await?;
        }
        Ok(row)
    }

    async fn once(&self, place: &Place, wanted: &Row) -> Result<Row> {
        let rig = Rig::start(place, self.case, self.policy).await?;
        let span = self.case.span(self.scale);
        let windows = self.case.windows(self.scale);
        let plan = Plan::make(self.case, self.rate, self.seed, span.whole());
        let target = Target::new(rig.gateway.address, rig.dialect.clone());

        let begun = Instant::now();
        if let Some(faults) = self.case.faults {
            counters::inject(&rig.stubs, faults, &windows, begun).await?;
        }
        let stalls = self.watch_stalls(&rig, &windows, begun);
        let sent = tokio::spawn(generator::send(target, plan, begun, span.whole()));
        let used = usage(place, &rig, span, begun).await?;
        let outcomes = sent.await.context("the generator panicked")?;

        let mut row = wanted.clone();
        figures::fill(&mut row, self.case, &outcomes, span, &windows);
        used.fill(&mut row);
        if let Some(stalls) = stalls {
            let stalls = stalls.await.context("the watch panicked")??;
            row.stall_new_work = Some(stalls.new_work);
            row.stall_probe_s = Some(stalls.probe_s);
        }
        row.void = void(&row);
        Ok(row)
    }

    fn watch_stalls(
        &self,
        rig: &Rig,
        windows: &[Window],
        begun: Instant,
    ) -> Option<JoinHandle<Result<Stalls>>> {
        self.case.faults.filter(|faults| faults.slower.is_none())?;
        let of = |window: &Window| (rig.stubs[window.server].address, *window);
        let watched = windows.iter().map(of).collect();
        Some(tokio::spawn(counters::watch(watched, begun)))
    }
}

/// CPU time and counters of what counts: after the warm-up, until the last request.
struct Usage {
    cpu_us: f64,
    wait_ms: f64,
    noise: f64,
    late_ms: f64,
    hits: Option<f64>,
}

impl Usage {
    fn fill(&self, row: &mut Row) {
        row.gateway_cpu_us = Some(self.cpu_us / row.sent.max(1) as f64);
        row.gateway_wait_ms = self.wait_ms;
        row.noise = self.noise;
        row.step_late_ms = self.late_ms;
        row.cache_hits = self.hits;
    }
}

async fn usage(place: &Place, rig: &Rig, span: Span, begun: Instant) -> Result<Usage> {
    let moment = |seconds| (begun + Duration::from_secs_f64(seconds)).into();
    sleep_until(moment(span.warm_up)).await;
    let (totals, reading) = (Totals::read(&rig.stubs).await?, Reading::take(place.cores)?);
    let (gateway, ours) = (rig.gateway.cpu_time()?, ours(rig)?);
    let waited = rig.gateway.waited()?;
    sleep_until(moment(span.whole())).await;
    let (later, end) = (Totals::read(&rig.stubs).await?, Reading::take(place.cores)?);
    let gateway = rig.gateway.cpu_time()?.saturating_sub(gateway);
    let noise = reading.until(&end, self::ours(rig)?.saturating_sub(ours));
    Ok(Usage {
        cpu_us: gateway.as_secs_f64() * 1e6,
        wait_ms: rig.gateway.waited()?.mean_ms_since(&waited),
        noise: noise.others + noise.stolen,
        late_ms: later.late_ms(&totals),
        hits: later.hits(&totals),
    })
}

/// CPU time of all our processes.
fn ours(rig: &Rig) -> Result<Duration> {
    let own = ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?;
    let mut all = Duration::from(own) + rig.gateway.cpu_time()?;
    for stub in &rig.stubs {
        all += Server::cpu_time(stub)?;
    }
    Ok(all)
}

/// Why a run does not count.
fn void(row: &Row) -> String {
    let mut reasons = Vec::new();
    if row.step_late_ms > MOST_STEP_LATENESS {
        reasons.push(format!("passes {:.2} ms late", row.step_late_ms));
    }
    if row.generator_p99_ms > MOST_GENERATOR_LATENESS {
        reasons.push(format!("requests {:.1} ms late", row.generator_p99_ms));
    }
    if row.gateway_wait_ms > MOST_GATEWAY_WAIT {
        reasons.push(format!("gateway {:.2} ms late", row.gateway_wait_ms));
    }
    reasons.join(", ")
}
