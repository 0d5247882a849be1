//! A model server: its card, and what goes wrong with it.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::ValueEnum as _;
use headworks::upstream::Gauges;
use headworks_stub::Profile;
use headworks_stub::simulate::{Card, Work};

use super::super::counters::{NOTICE, Stalls};
use super::super::plan::Request;
use super::super::scenario::Case;

/// Requests that a server has at one time, TGI's `max_concurrent_requests`.
const MOST_OPEN: usize = 128;

/// A model server.
pub(crate) struct Server {
    card: Card,
    /// By how much it is slower than its profile.
    slowness: f64,
    faults: Vec<Fault>,
    passes: bool,
    /// Requests that it has.
    open: usize,
    taken: u64,
    prompt_tokens: u64,
}

struct Fault {
    /// When it begins and ends: to the nanosecond of the agenda, or an end between
    /// two of them is never reached.
    lasts: Range<Duration>,
    /// By how much passes take longer; none is a stall.
    slower: Option<f64>,
    /// Requests that came when it should have been noticed.
    new_work: u64,
    /// From its end to the next request, seconds.
    probe: Option<f64>,
}

impl Server {
    pub(super) fn new(case: &Case, index: usize, scale: f64) -> Result<Self> {
        let profile =
            Profile::from_str(case.servers.profile, true).map_err(|error| anyhow!(error))?;
        let windows = case.windows(scale).into_iter();
        let faults = windows
            .filter(|window| window.server == index)
            .map(|window| Fault {
                lasts: Duration::from_secs_f64(window.begin)..Duration::from_secs_f64(window.end),
                slower: case.faults.and_then(|faults| faults.slower),
                new_work: 0,
                probe: None,
            });
        Ok(Self {
            card: Card::new(profile, index as u64),
            slowness: match index {
                0 => case.servers.first_slower,
                _ => 1.0,
            },
            faults: faults.collect(),
            passes: false,
            open: 0,
            taken: 0,
            prompt_tokens: 0,
        })
    }

    /// A request comes in; `false` if there are as many as may be.
    pub(super) fn takes(&mut self, id: u64, request: &Request, now: Duration) -> bool {
        if self.open >= MOST_OPEN {
            return false;
        }
        self.open += 1;
        self.taken += 1;
        self.prompt_tokens += u64::from(request.input);
        let notice = Duration::from_secs_f64(NOTICE);
        for fault in self
            .faults
            .iter_mut()
            .filter(|fault| fault.slower.is_none())
        {
            let Range { start, end } = fault.lasts;
            fault.new_work += u64::from((start + notice..end).contains(&now));
            if let Some(since) = now.checked_sub(end) {
                fault.probe.get_or_insert(since.as_secs_f64());
            }
        }
        let work = Work {
            prompt: &request.prompt,
            input: request.input,
            output: request.output,
            max_new: request.cap,
        };
        self.card.submit(id, work);
        true
    }

    /// A request is given up, or has all of its answer.
    pub(super) fn leaves(&mut self, id: u64) {
        self.open -= 1;
        self.card.leave(id);
    }

    /// When it may do something, if a stall keeps it from that now.
    pub(super) fn resumes(&self, now: Duration) -> Option<Duration> {
        let acts = |fault: &&Fault| fault.slower.is_none() && fault.acts(now);
        let stall = self.faults.iter().find(acts)?;
        Some(stall.lasts.end)
    }

    /// Begins a pass if it does nothing and there is something to do; tells how
    /// long it takes.
    pub(super) fn begins(&mut self, now: Duration) -> Option<Duration> {
        if self.passes {
            return None;
        }
        let pass = self.card.begin()?;
        self.passes = true;
        let acting = self.faults.iter().filter(|fault| fault.acts(now));
        let factor: f64 = acting.filter_map(|fault| fault.slower).product();
        Some(pass.takes.mul_f64(self.slowness * factor))
    }

    /// Ends the pass; tells who got a token.
    pub(super) fn passes(&mut self) -> Vec<u64> {
        self.passes = false;
        self.card.finish()
    }

    /// What it says of itself.
    pub(super) fn gauges(&self) -> Gauges {
        let (queued, running) = self.card.occupancy();
        Gauges {
            queue_depth: queued as u32,
            running: running as u32,
            batch_total_tokens: Some(self.card.capacity()),
            ..Gauges::default()
        }
    }

    /// Requests that it has taken.
    #[cfg(test)]
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// What it got in its stalls, the worst of them.
    pub(super) fn stalls(&self) -> Stalls {
        let worst = |worst: Stalls, fault: &Fault| Stalls {
            new_work: worst.new_work.max(fault.new_work),
            probe_s: worst.probe_s.max(fault.probe.unwrap_or(0.0)),
        };
        self.faults.iter().fold(Stalls::default(), worst)
    }

    pub(super) fn cached_tokens(&self) -> u64 {
        self.card.cached_tokens()
    }

    pub(super) fn prompt_tokens(&self) -> u64 {
        self.prompt_tokens
    }
}

impl Fault {
    fn acts(&self, now: Duration) -> bool {
        self.lasts.contains(&now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_over_when_it_says_it_ends() {
        let case = Case::named("A5").expect("A5")[0];
        // At these scales windows end between two nanoseconds.
        for scale in [0.31, 0.33, 0.34] {
            let server = Server::new(case, 0, scale).expect("a server");
            let stall = server.faults[0].lasts.clone();
            assert_eq!(server.resumes(stall.start), Some(stall.end));
            assert_eq!(server.resumes(stall.end), None, "at scale {scale}");
        }
    }
}
