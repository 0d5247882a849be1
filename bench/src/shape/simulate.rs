//! A run in simulated time: hours pass in seconds, and the same seed brings the
//! same run. What is real is what decides: the gateway's pool with its predictor,
//! queue and retries, the policy's own code, and the model servers' batches. What
//! is left out is what carries: sockets, HTTP, WebAssembly and the cost of each.
//!
//! `gateway` walks as the gateway does, `policy` has the filters, `server` the
//! model servers with their faults, `agenda` what happens when.

mod agenda;
mod gateway;
mod policy;
mod server;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use headworks::config::Config;
use headworks::upstream::Pools;

use super::counters::Stalls;
use super::figures;
use super::generator::Outcome;
use super::job::Job;
use super::plan::{Plan, Request};
use super::policy::Policy;
use super::rig::{MODELS, base};
use super::row::Row;
use agenda::{Agenda, Event};
use gateway::{Ended, Gateway};
use server::Server;

/// How long answers are waited for after the last request.
const DRAIN: f64 = 60.0;

/// Makes the figures of a run.
pub(crate) fn run(job: &Job, mut row: Row) -> Result<Row> {
    let span = job.case.span(job.scale);
    let windows = job.case.windows(job.scale);
    let plan = Plan::make(job.case, job.rate, job.seed, span.whole());
    let mut simulation = Simulation::new(job, plan)?;
    simulation.pass_until(span.warm_up);
    let before = simulation.cache();
    simulation.pass_until(span.whole());
    let (cached, prompts) = simulation.cache();
    row.cache_hits =
        (prompts > before.1).then(|| (cached - before.0) as f64 / (prompts - before.1) as f64);
    simulation.pass_until(span.whole() + DRAIN);
    figures::fill(&mut row, job.case, &simulation.outcomes(), span, &windows);
    if job
        .case
        .faults
        .is_some_and(|faults| faults.slower.is_none())
    {
        let stalls = simulation.stalls();
        row.stall_new_work = Some(stalls.new_work);
        row.stall_probe_s = Some(stalls.probe_s);
    }
    Ok(row)
}

/// Model servers, a gateway with a policy, and those who ask.
pub(super) struct Simulation {
    agenda: Agenda,
    gateway: Gateway,
    askers: Vec<Asker>,
    /// Users ask no more from then on, seconds.
    closes: f64,
    outcomes: Vec<Outcome>,
}

/// Requests that come one after another.
struct Asker {
    requests: VecDeque<Request>,
    /// The next one is sent when the last was answered, and not at its time.
    waits: bool,
}

impl Simulation {
    pub(super) fn new(job: &Job, plan: Plan) -> Result<Self> {
        let addresses: Vec<SocketAddr> = (1..=job.case.servers.count as u16)
            .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
            .collect();
        // Nobody listens anywhere, and yet they must differ.
        let [listen, admin] = [8000, 9090].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let text = base(listen, admin, &addresses, job.policy, false);
        let config = Config::parse(&text, Path::new("simulated.toml"))
            .map_err(|problems| anyhow!("{problems}"))?;
        let pools = Pools::new(&config, None);
        let named = |name: &&str| pools.get(name).cloned().context("no such pool");
        let pools = match job.policy {
            Policy::Pinned => MODELS.iter().map(named).collect::<Result<_>>()?,
            _ => vec![named(&"bench")?],
        };
        let servers = (0..job.case.servers.count)
            .map(|index| Server::new(job.case, index, job.scale))
            .collect::<Result<_>>()?;
        let host = policy::host(job.policy, job.case, job.seed)?;
        let mut simulation = Self {
            agenda: Agenda::default(),
            gateway: Gateway::new(pools, servers, host, job.case),
            askers: askers(plan),
            closes: job.case.span(job.scale).whole(),
            outcomes: Vec::new(),
        };
        for asker in 0..simulation.askers.len() {
            simulation.asks_next(asker);
        }
        simulation.agenda.at(Duration::ZERO, Event::Scrapes);
        Ok(simulation)
    }

    /// Lets time pass, to so many seconds from the beginning.
    pub(super) fn pass_until(&mut self, seconds: f64) {
        let until = Duration::from_secs_f64(seconds);
        while let Some(event) = self.agenda.next_before(until) {
            if let Event::Comes(asker) = event {
                self.comes(asker);
            } else {
                self.gateway.sees(event, &mut self.agenda);
            }
            while let Some(ended) = self.gateway.next_ended() {
                self.ended(ended);
            }
        }
    }

    /// More requests come, after all that are known.
    #[cfg(test)]
    pub(super) fn more(&mut self, requests: Vec<Request>) {
        let asker = &mut self.askers[0];
        let ran_dry = asker.requests.is_empty();
        asker.requests.extend(requests);
        if ran_dry {
            self.asks_next(0);
        }
    }

    /// What has become of requests so far, in order of their times.
    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        let unanswered = self.gateway.unanswered();
        let mut outcomes = [&self.outcomes[..], &unanswered].concat();
        outcomes.sort_by(|a, b| a.at.total_cmp(&b.at));
        outcomes
    }

    /// The same, and forgets them.
    #[cfg(test)]
    pub(super) fn take_outcomes(&mut self) -> Vec<Outcome> {
        std::mem::take(&mut self.outcomes)
    }

    /// The gateway, for who wants to change it.
    #[cfg(test)]
    pub(super) fn gateway_mut(&mut self) -> &mut Gateway {
        &mut self.gateway
    }

    /// The gateway, for who wants to look at it.
    #[cfg(test)]
    pub(super) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    fn stalls(&self) -> Stalls {
        self.gateway
            .servers()
            .fold(Stalls::default(), |worst, server| {
                let Stalls { new_work, probe_s } = server.stalls();
                Stalls {
                    new_work: worst.new_work.max(new_work),
                    probe_s: worst.probe_s.max(probe_s),
                }
            })
    }

    /// Prompt tokens found in caches, and all of them.
    fn cache(&self) -> (u64, u64) {
        let of = |server: &Server| (server.cached_tokens(), server.prompt_tokens());
        let add = |(cached, prompts), (more, others)| (cached + more, prompts + others);
        self.gateway.servers().map(of).fold((0, 0), add)
    }

    fn comes(&mut self, asker: usize) {
        let this = &mut self.askers[asker];
        if let Some(request) = this.requests.pop_front() {
            let waits = this.waits;
            self.gateway.asks(request, asker, &mut self.agenda);
            if !waits {
                self.asks_next(asker);
            }
        }
    }

    fn asks_next(&mut self, asker: usize) {
        let this = &self.askers[asker];
        let Some(next) = this.requests.front() else {
            return;
        };
        let at = match this.waits {
            true => self.agenda.now().as_secs_f64() + next.at,
            false => next.at,
        };
        if !this.waits || at < self.closes {
            self.agenda
                .at(Duration::from_secs_f64(at), Event::Comes(asker));
        }
    }

    fn ended(&mut self, Ended { outcome, asker }: Ended) {
        self.outcomes.push(outcome);
        if self.askers[asker].waits {
            self.asks_next(asker);
        }
    }
}

fn askers(plan: Plan) -> Vec<Asker> {
    let asker = |waits| {
        move |requests: Vec<Request>| Asker {
            requests: requests.into(),
            waits,
        }
    };
    match plan {
        Plan::Open(requests) => vec![asker(false)(requests)],
        Plan::Closed(users) => users.into_iter().map(asker(true)).collect(),
    }
}
