//! Chooses the endpoint that answers soonest, and keeps answers within their
//! objectives: what would be late is refused at once, or waits where there is
//! time for that. The decision is the law's; this asks and obeys it.

mod convert;
pub mod law;
mod memory;
mod promise;
mod rules;
mod settings;
#[cfg(test)]
mod tests;
mod time;

use headworks_sdk::prelude::*;

pub use settings::Config;

use law::{Decision, Law, Options, Priority};
use rules::Rules;

/// The filter.
pub struct LoadShaper {
    rules: Rules,
    options: Options,
    max_in_flight: Option<u32>,
    decisions: Counter,
    margin: Gauge,
}

#[filter]
impl Filter for LoadShaper {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let rules = config.rules(&mut problems);
        let shaper = Self {
            rules,
            options: Options {
                size_neutral: config.size_neutral,
                ..Options::default()
            },
            max_in_flight: config.max_in_flight,
            decisions: Counter::new("shaper.decisions.{pool}.{decision}", &["pool", "decision"]),
            margin: Gauge::new("shaper.margin.{pool}", &["pool"]),
        };
        problems.none_or(shaper)
    }

    fn hooks(&self) -> Hooks {
        // Without an objective nothing is promised, and there is nothing to learn.
        Hooks {
            on_complete: self.rules.has_objectives(),
            ..Self::HOOKS
        }
    }

    fn place(&self, request: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
        let terms = self.rules.of(request);
        let objective = terms.objective.and_then(|it| it.with(candidates));
        let priority = terms.priority.unwrap_or_default();
        let pool = request.pool().unwrap_or_default();
        let decision = self.decide(request, candidates, (objective, priority), &pool);
        request.explain(decision.why());
        self.decisions
            .increment(&[&pool, convert::label(&decision)]);
        match decision {
            Decision::At { id, way } => {
                if let Some(objective) = objective {
                    request.set_objective(objective);
                }
                promise::keep(request, objective.filter(|_| way.is_promise()));
                Placement::At(id)
            }
            Decision::Hold { at_most, .. } => {
                // Who has no objective waits in the order of arrival.
                let tokens = objective.map_or(0, |_| cost(request));
                request.hold(law::behind(tokens, priority), at_most);
                Placement::Wait
            }
            Decision::Refuse {
                kind, retry_after, ..
            } => convert::rejection(kind, retry_after).into(),
        }
    }

    fn on_complete(&self, request: &Request, outcome: &Outcome) {
        let Some(in_time) = promise::was_kept(request, outcome) else {
            return;
        };
        let pool = outcome.pool().unwrap_or_default();
        let margin = memory::with(&pool, self.options, |law| {
            law.answered(in_time);
            law.margin()
        });
        self.margin.set((margin * 1000.0).round() as i64, &[&pool]);
    }
}

impl LoadShaper {
    fn decide(
        &self,
        request: &Request,
        candidates: &[Candidate],
        (objective, priority): (Option<Duration>, Priority),
        pool: &str,
    ) -> Decision {
        let convert = |at| convert::candidate(at, self.max_in_flight);
        let candidates: Vec<law::Candidate> = candidates.iter().map(convert).collect();
        let chance = &mut random::unit;
        let again = request.attempt() > 0;
        let Some(objective) = objective else {
            // Nothing is learned of it, and nothing that was learned counts.
            let asked = law::Request {
                again,
                ..law::Request::whenever()
            };
            return Law::default().decide(&asked, &candidates, Duration::ZERO, chance);
        };
        let asked = law::Request {
            objective: Some(objective),
            priority,
            prompt: match self.options.size_neutral {
                true => request.prompt_tokens(),
                false => 0,
            },
            waited: request.age(),
            share: request.tenant_share(),
            again,
        };
        let now = clock::monotonic();
        memory::with(pool, self.options, |law| {
            law.decide(&asked, &candidates, now, chance)
        })
    }
}

/// Tokens of the prompt and those expected.
fn cost(request: &Request) -> u32 {
    let prompt = request.prompt_tokens();
    prompt.saturating_add(request.expected_new_tokens())
}
