//! Where a request goes, whether it waits, and whether it is refused: what a
//! filter decides about it, from what the gateway predicts. Pure: times are
//! passed in as they pass since any fixed moment, and chance too.
//!
//! An answer that would be late anyway is refused at once: it would only make
//! others late. `margin` keeps the predictions honest, `share` keeps tenants
//! from taking each other's part, `pressure` makes room for higher priorities,
//! `within` puts these together, `choice` picks the endpoint, `state` carries what
//! was learned from one instance to another.

mod choice;
mod fading;
mod margin;
mod pressure;
mod share;
mod state;
mod terms;
#[cfg(test)]
mod tests;
mod within;

use std::time::Duration;

pub use choice::{Candidate, Health};
pub use terms::{Decision, Options, Priority, Refusal, Request, Way};

use choice::Test;
use margin::Margin;
use pressure::Pressures;
use share::Penalty;
use within::Case;

/// Weight of the newest prompt in their mean length.
const NEWEST: f64 = 0.02;

/// Tokens of work that a second of waiting makes up for.
const AGEING: f64 = 60.0;

/// So much later than those of the next higher priority a request stands in line.
const LEVEL: Duration = Duration::from_secs(600);

/// The law with what it has learned.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Law {
    options: Options,
    learned: Learned,
}

/// What was learned, of fixed size.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Learned {
    margin: Margin,
    mean_prompt: f64,
    /// When a request was refused last, in seconds.
    last_refusal: Option<f64>,
    /// When a request got through only because none was refused, in seconds.
    last_favour: Option<f64>,
    penalty: Penalty,
    pressures: Pressures,
}

impl Law {
    /// A law that has learned nothing.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Decides about a request. `chance` gives numbers from 0 to below 1.
    pub fn decide(
        &mut self,
        request: &Request,
        candidates: &[Candidate],
        now: Duration,
        chance: &mut dyn FnMut() -> f64,
    ) -> Decision {
        let probe = candidates.iter().find(|at| at.is_to_probe());
        // One that an endpoint failed tries its luck with such only where nothing is left.
        let decision = if let Some(probe) = probe.filter(|_| !request.again) {
            at(probe, Way::Probe)
        } else if let Some(objective) = request.objective {
            let case = Case {
                request,
                candidates,
                objective: objective.as_secs_f64(),
                unloaded: choice::unloaded(candidates),
                now: now.as_secs_f64(),
            };
            self.within(&case, chance)
        } else {
            route(candidates, chance)
        };
        // One that waits is asked for again, and is to count once.
        if self.options.size_neutral && !matches!(decision, Decision::Hold { .. }) {
            self.learn_prompt(request.prompt);
        }
        decision
    }

    /// An answer that was promised in time (`Way::is_promise`) is complete.
    pub fn answered(&mut self, in_time: bool) {
        self.learned.margin.answered(in_time);
    }

    /// The tracked part of the margin: 0.8 to 1.08.
    pub fn margin(&self) -> f64 {
        self.learned.margin.value()
    }

    /// What was learned, in a number of bytes that is always the same.
    pub fn save(&self) -> [u8; state::BYTES] {
        self.learned.to_bytes()
    }

    /// Takes over what another instance has learned, by the same clock. What
    /// cannot be read changes nothing.
    pub fn restore(&mut self, saved: &[u8]) -> bool {
        let learned = Learned::from_bytes(saved);
        self.learned = learned.unwrap_or(self.learned);
        learned.is_some()
    }

    fn learn_prompt(&mut self, prompt: u32) {
        let prompt = f64::from(prompt.max(1));
        let mean = &mut self.learned.mean_prompt;
        *mean = match *mean > 0.0 {
            true => *mean + NEWEST * (prompt - *mean),
            false => prompt,
        };
    }
}

/// By how much later than it has come a request stands in line: those who wait
/// are looked at by priority, the shortest first, and each the sooner the longer
/// it has waited. `tokens` are those of its prompt and those expected.
pub fn behind(tokens: u32, priority: Priority) -> Duration {
    let level = match priority {
        Priority::High => Duration::ZERO,
        Priority::Normal => LEVEL,
        Priority::Low => 2 * LEVEL,
    };
    level + Duration::from_secs_f64(f64::from(tokens) / AGEING)
}

/// For want of an objective: to the soonest, or in line until there is room.
/// Suspect endpoints are better than none.
fn route(candidates: &[Candidate], chance: &mut dyn FnMut() -> f64) -> Decision {
    let health = match candidates.iter().map(|at| at.health).min() {
        None | Some(Health::Down) => {
            return refuse(Refusal::NoEndpoint, "no endpoint is up", 1.0, chance);
        }
        Some(health) => health,
    };
    match choice::best(candidates, &Test::none(health), chance) {
        Some(best) => at(best, Way::Soonest),
        None => Decision::Hold {
            at_most: Duration::MAX,
            why: "every endpoint is full",
        },
    }
}

fn at(candidate: &Candidate, way: Way) -> Decision {
    let id = candidate.id;
    Decision::At { id, way }
}

/// The client may come back in so many seconds: one at least, and not the same
/// for all, who would come back together.
fn refuse(
    kind: Refusal,
    why: &'static str,
    seconds: f64,
    chance: &mut dyn FnMut() -> f64,
) -> Decision {
    let spread = 1.0 + 0.5 * chance().clamp(0.0, 1.0);
    Decision::Refuse {
        kind,
        retry_after: Duration::from_secs_f64(seconds.clamp(1.0, 60.0) * spread),
        why,
    }
}
