//! The policies' own code, run natively in the SDK's mock of the gateway.

use std::time::Duration;

use anyhow::{Result, anyhow};
use headworks::filter;
use headworks::shape::{Hold, Need};
use headworks_sdk::testing::{Answer, Ended, MockHost, gateway};
use headworks_sdk::{Candidate, Filter, Health, Placement};
use serde_json::Value;

use super::super::policy::Policy;
use super::super::rig::USUAL_ANSWER;
use super::super::scenario::Case;

/// A request as a filter sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) need: Need,
    pub(super) tenant: &'a str,
    /// Which conversation it belongs to.
    pub(super) session: Option<u64>,
    /// What the tenant has had of the pool.
    pub(super) share: f64,
}

/// A policy in its gateway.
pub(super) trait Host {
    /// A request comes, at a time since the beginning.
    fn request(&mut self, asked: Asked<'_>, now: Duration) -> Box<dyn Asking>;

    /// Lets time pass, up to this.
    fn pass_until(&mut self, now: Duration);

    /// The load shaper's margin, once an answer was due.
    #[cfg(test)]
    fn margin(&self) -> Option<f64>;
}

/// A request and the filter that decides about it.
pub(super) trait Asking {
    /// Where it goes.
    fn place(&mut self, candidates: &[filter::Candidate], waited: Duration) -> Placement;

    /// The endpoint that it was placed at failed it.
    fn endpoint_failed(&mut self);

    /// How it stands in line, if it is to wait.
    fn hold(&self) -> Option<Hold>;

    /// In which time its answer should be complete.
    fn objective(&self) -> Option<Duration>;

    /// It has ended.
    fn complete(self: Box<Self>, ended: Ended);
}

/// A policy as a case has it.
pub(super) fn host(policy: Policy, case: &Case, seed: u64) -> Result<Box<dyn Host>> {
    let objective = case.objective.of(USUAL_ANSWER);
    let settings: toml::Table = policy.settings(objective).parse()?;
    let settings = serde_json::to_value(settings)?;
    match policy {
        Policy::Shaper | Policy::ShaperSizeNeutral | Policy::Routing => {
            load::<load_shaper::LoadShaper>(settings, case, seed)
        }
        Policy::RoundRobin => load::<policy_round_robin::RoundRobin>(settings, case, seed),
        Policy::LeastConnections => {
            load::<policy_least_connections::LeastConnections>(settings, case, seed)
        }
        Policy::P2c => load::<policy_p2c::TwoChoices>(settings, case, seed),
        Policy::Fixed10 => load::<policy_fixed_limit::FixedLimit>(settings, case, seed),
        Policy::Gradient => load::<policy_gradient::Gradient>(settings, case, seed),
        Policy::Gradient2 => load::<policy_gradient2::Gradient2>(settings, case, seed),
        Policy::Chwbl => load::<policy_chwbl::BoundedHash>(settings, case, seed),
        // The gateway chooses among the one endpoint that a model has.
        Policy::Pinned => Ok(Box::new(Nothing)),
    }
}

fn load<F: Filter>(settings: Value, case: &Case, seed: u64) -> Result<Box<dyn Host>> {
    let endpoint = |id| Candidate {
        id,
        ..Candidate::default()
    };
    let endpoints: Vec<_> = (0..case.servers.count as u32).map(endpoint).collect();
    let gateway = gateway().seed(seed).pool("bench", &endpoints);
    let host = gateway.load::<F>(settings);
    let host = host.map_err(|problems| anyhow!("{problems}"))?;
    Ok(Box::new(Loaded {
        host,
        now: Duration::ZERO,
    }))
}

struct Loaded<F> {
    host: MockHost<F>,
    now: Duration,
}

impl<F: Filter> Host for Loaded<F> {
    fn request(&mut self, asked: Asked<'_>, now: Duration) -> Box<dyn Asking> {
        self.pass_until(now);
        let call = self.host.generate("model").routed("bench");
        let call = call.tenant(asked.tenant).tenant_share(asked.share);
        let call = call.prompt_tokens(asked.need.prompt);
        let call = match asked.session {
            Some(session) => call.header("x-session", &session.to_string()),
            None => call,
        };
        Box::new(call.expected_new_tokens(asked.need.mean).send())
    }

    fn pass_until(&mut self, now: Duration) {
        self.host.advance(now.saturating_sub(self.now));
        self.now = self.now.max(now);
    }

    #[cfg(test)]
    fn margin(&self) -> Option<f64> {
        let thousandths = self.host.gauge("shaper.margin.{pool}", &["bench"]);
        thousandths.map(|thousandths| thousandths as f64 / 1000.0)
    }
}

impl<F: Filter> Asking for Answer<F> {
    fn place(&mut self, candidates: &[filter::Candidate], waited: Duration) -> Placement {
        let candidates: Vec<Candidate> = candidates.iter().map(seen).collect();
        Self::place(self, &candidates, waited)
    }

    fn endpoint_failed(&mut self) {
        Self::endpoint_failed(self);
    }

    fn hold(&self) -> Option<Hold> {
        Self::hold(self).map(|hold| Hold {
            behind: hold.behind,
            at_most: hold.at_most,
        })
    }

    fn objective(&self) -> Option<Duration> {
        Self::objective(self)
    }

    fn complete(self: Box<Self>, ended: Ended) {
        if F::HOOKS.on_complete {
            Self::complete(*self, ended);
        }
    }
}

/// No filter at all.
struct Nothing;

impl Host for Nothing {
    fn request(&mut self, _: Asked<'_>, _: Duration) -> Box<dyn Asking> {
        Box::new(Self)
    }

    fn pass_until(&mut self, _: Duration) {}

    #[cfg(test)]
    fn margin(&self) -> Option<f64> {
        None
    }
}

impl Asking for Nothing {
    fn place(&mut self, candidates: &[filter::Candidate], _: Duration) -> Placement {
        Placement::At(candidates[0].id)
    }

    fn endpoint_failed(&mut self) {}

    fn hold(&self) -> Option<Hold> {
        None
    }

    fn objective(&self) -> Option<Duration> {
        None
    }

    fn complete(self: Box<Self>, _: Ended) {}
}

/// A candidate as filters see it.
fn seen(at: &filter::Candidate) -> Candidate {
    Candidate {
        id: at.id,
        health: match at.health {
            filter::Health::Up => Health::Up,
            filter::Health::Degraded => Health::Degraded,
            filter::Health::Down => Health::Down,
        },
        in_flight: at.in_flight,
        outstanding_tokens: at.outstanding_tokens,
        queue_depth: at.queue_depth,
        predicted_ttft_us: at.predicted_ttft_us,
        predicted_e2e_us: at.predicted_e2e_us,
        predicted_usual_us: at.predicted_usual_us,
        unloaded_us: at.unloaded_us,
        prefill_us: at.prefill_us,
        inflicted_us: at.inflicted_us,
        step_us: at.step_us,
        free_kv_tokens: at.free_kv_tokens,
        prefix_hit_tokens: at.prefix_hit_tokens,
        weight: at.weight,
        marks: at.marks,
    }
}
