//! A request with an objective: whether it would be in time somewhere, and what
//! becomes of it if not.

use std::time::Duration;

use super::choice::{self, Candidate, Health, Test};
use super::terms::{Decision, Refusal, Request, Way};
use super::{Law, at, refuse};

/// Seconds without a refusal after which objectives are stretched for requests
/// that cannot be answered in time anywhere.
const CALM: f64 = 10.0;

/// How much longer than on an idle endpoint an answer may take that cannot be in
/// time anywhere.
const STRETCH: f64 = 1.5;

/// An objective so many times the time on an idle endpoint leaves time to wait.
const LEISURE: f64 = 2.0;

/// The part of what an objective leaves that may be spent waiting.
const WAIT: f64 = 0.2;

/// Seconds of waiting that are worth it.
const LEAST_WAIT: f64 = 0.001;

/// A request with an objective, at a time.
pub(super) struct Case<'a> {
    pub(super) request: &'a Request,
    pub(super) candidates: &'a [Candidate],
    /// Seconds in which its answer should be complete.
    pub(super) objective: f64,
    /// Seconds that it takes on the fastest endpoint with nothing else to do;
    /// none while nothing is known.
    pub(super) unloaded: Option<f64>,
    pub(super) now: f64,
}

/// What a request may take, in seconds: by its objective alone, with what those
/// of higher priority leave of that, and with what its tenant's share leaves.
struct Bounds {
    fair: f64,
    pressed: f64,
    own: f64,
}

impl Law {
    /// Decides about it.
    pub(super) fn within(&mut self, case: &Case<'_>, chance: &mut dyn FnMut() -> f64) -> Decision {
        let objective = self.stretched(case);
        let bounds = self.bounds(case, objective);
        let own = self.test(case.request, bounds.own);
        if let Some(best) = choice::best(case.candidates, &own, chance) {
            return match best.is_known() {
                false => at(best, Way::Unknown),
                true if objective > case.objective => at(best, Way::Stretched),
                true => at(best, Way::InTime),
            };
        }
        if let Some(idle) = case.candidates.iter().find(|at| at.is_forgotten()) {
            return at(idle, Way::Forgotten);
        }
        if let Some(at_most) = case.may_wait(objective) {
            let why = match case.is_full() {
                true => "every endpoint is full",
                false => "an endpoint may soon have less to do",
            };
            return Decision::Hold { at_most, why };
        }
        let pressed = self.test(case.request, bounds.pressed);
        if let Some(best) = self.favoured(case, &pressed, chance) {
            if case.request.again {
                return at(best, Way::Again);
            }
            self.learned.last_favour = Some(case.now);
            return at(best, Way::Favour);
        }
        let probe = case.candidates.iter().find(|at| at.is_to_probe());
        if let Some(probe) = probe.filter(|_| case.request.again) {
            return at(probe, Way::Probe);
        }
        self.refuse(case, &bounds, chance)
    }

    /// A request that is not in time even on an idle endpoint may take longer,
    /// but only while nothing is refused: it costs as much as several others.
    fn stretched(&self, case: &Case<'_>) -> f64 {
        match case.unloaded {
            Some(unloaded) if unloaded > case.objective && self.is_calm(case.now) => {
                unloaded * STRETCH
            }
            _ => case.objective,
        }
    }

    fn bounds(&self, case: &Case<'_>, objective: f64) -> Bounds {
        let Request {
            priority, share, ..
        } = *case.request;
        let learned = &self.learned;
        let fair = objective * self.options.margin * learned.margin.value();
        let unloaded = case.unloaded.unwrap_or(f64::INFINITY);
        let pressed = learned.pressures.on(priority, fair, unloaded, case.now);
        Bounds {
            fair,
            pressed,
            own: pressed * learned.penalty.part(share, case.now),
        }
    }

    /// Where a request may go that comes out of the ordinary at a quiet time:
    /// one that is late is better than one refused, if it stays the only one. Those
    /// that an endpoint failed are few: it is soon known to fail, and the pool bounds
    /// how many may be sent twice.
    fn favoured<'a>(
        &self,
        case: &Case<'a>,
        test: &Test,
        chance: &mut dyn FnMut() -> f64,
    ) -> Option<&'a Candidate> {
        let last = self.learned.last_favour;
        let again = case.request.again;
        let is_due = again || last.is_none_or(|last| case.now - last >= CALM);
        if !is_due || !self.is_calm(case.now) {
            return None;
        }
        let relaxed = Test {
            bound: match again {
                true => f64::INFINITY,
                false => test.bound * STRETCH,
            },
            guards: false,
            ..*test
        };
        choice::best(case.candidates, &relaxed, chance)
    }

    fn is_calm(&self, now: f64) -> bool {
        let last = self.learned.last_refusal;
        last.is_none_or(|last| now - last >= CALM)
    }

    fn test(&self, request: &Request, bound: f64) -> Test {
        let (mean, prompt) = (self.learned.mean_prompt, f64::from(request.prompt.max(1)));
        let size_neutral = self.options.size_neutral;
        Test {
            bound,
            waited: request.waited.as_secs_f64(),
            counts_prefill: match size_neutral && mean > 0.0 {
                true => (mean / prompt).min(1.0),
                false => 1.0,
            },
            guards: !size_neutral,
            health: Health::Up,
        }
    }

    fn refuse(
        &mut self,
        case: &Case<'_>,
        bounds: &Bounds,
        chance: &mut dyn FnMut() -> f64,
    ) -> Decision {
        let fair = self.test(case.request, bounds.fair);
        let Some(excess) = choice::excess(case.candidates, &fair) else {
            self.learned.last_refusal = Some(case.now);
            return refuse(Refusal::NoEndpoint, "no endpoint is up", 1.0, chance);
        };
        let pressed = self.test(case.request, bounds.pressed);
        if choice::best(case.candidates, &pressed, chance).is_some() {
            self.learned.last_refusal = Some(case.now);
            let why = "the tenant has had more than its share";
            return refuse(Refusal::TenantShare, why, 1.0, chance);
        }
        if choice::best(case.candidates, &fair, chance).is_some() {
            self.learned.last_refusal = Some(case.now);
            let why = "there is room only for those of higher priority";
            return refuse(Refusal::Overload, why, 1.0, chance);
        }
        self.denied(case);
        let why = match case.is_full() {
            true => "every endpoint is full",
            false => "no endpoint would answer in time",
        };
        refuse(Refusal::Overload, why, excess, chance)
    }

    /// A request is refused for the load. One that could not be in time anywhere, or
    /// is late already, says nothing of that.
    fn denied(&mut self, case: &Case<'_>) {
        let unloaded = case.unloaded.unwrap_or(0.0);
        if unloaded > case.objective || case.request.again {
            return;
        }
        let Request {
            priority, share, ..
        } = *case.request;
        let learned = &mut self.learned;
        learned.last_refusal = Some(case.now);
        learned.penalty.denied(share, case.now);
        let strain = (case.objective / unloaded).min(f64::MAX);
        learned.pressures.refused(priority, strain, case.now);
    }
}

impl Case<'_> {
    /// For how long the request may wait from now, where its objective leaves
    /// time for that.
    fn may_wait(&self, objective: f64) -> Option<Duration> {
        let unloaded = self.unloaded?;
        let most = (objective - unloaded) * WAIT;
        let left = most - self.request.waited.as_secs_f64();
        let may = objective >= LEISURE * unloaded && left >= LEAST_WAIT;
        may.then(|| Duration::from_secs_f64(left))
    }

    fn is_full(&self) -> bool {
        let mut up = self.candidates.iter().filter(|at| at.is_up());
        up.all(|at| at.is_full)
    }
}
