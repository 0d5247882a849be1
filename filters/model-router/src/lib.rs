//! Sends a request to a pool by the model and the scenario that it names.

mod allow;
mod models;
mod scenario;
mod settings;
mod split;
#[cfg(test)]
mod tests;
mod words;

use headworks_sdk::prelude::*;

pub use settings::Config;

use models::Models;
use scenario::Scenario;
use settings::Unknown;

/// The filter.
pub struct ModelRouter {
    models: Models,
    unknown: Unknown,
    scenarios: BTreeMap<String, Scenario>,
    unknown_scenario: Unknown,
}

#[filter]
impl Filter for ModelRouter {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let models = Models::new(config.models, &mut problems);
        let scenarios = config.scenarios.into_iter().map(|(name, settings)| {
            let scenario = Scenario::new(&name, settings, &models, &mut problems);
            (name, scenario)
        });
        let scenarios = scenarios.collect();
        problems.none_or(Self {
            models,
            unknown: config.unknown,
            scenarios,
            unknown_scenario: config.unknown_scenario,
        })
    }

    fn on_request(&self, request: &mut Request) -> Verdict {
        let routed = self
            .by_model(request)
            .and_then(|()| self.by_scenario(request));
        routed.map_or_else(Verdict::from, |()| Verdict::Next)
    }
}

impl ModelRouter {
    /// A request that names no model is left to the scenario and, after that,
    /// to the default pool.
    fn by_model(&self, request: &mut Request) -> Result<(), Rejection> {
        if request.model().is_empty() || self.models.route(request)? {
            return Ok(());
        }
        match self.unknown {
            Unknown::Pass => Ok(()),
            Unknown::Refuse => Err(no_model(request.model())),
        }
    }

    fn by_scenario(&self, request: &mut Request) -> Result<(), Rejection> {
        // Nobody asks for what nobody reads.
        if self.scenarios.is_empty() && self.unknown_scenario == Unknown::Pass {
            return Ok(());
        }
        let Some(name) = request.scenario() else {
            return Ok(());
        };
        match (self.scenarios.get(&name), self.unknown_scenario) {
            (Some(scenario), _) => scenario.apply(&name, request),
            (None, Unknown::Pass) => Ok(()),
            (None, Unknown::Refuse) => Err(no_scenario(&name)),
        }
    }
}

fn no_model(id: &str) -> Rejection {
    let id = words::bounded(id);
    let message = format!("there is no model `{id}`; GET /v1/models lists those that there are");
    Rejection::new(404, "model_not_found", message)
}

fn no_scenario(name: &str) -> Rejection {
    let name = words::bounded(name);
    let message = format!("there is no scenario `{name}`; name another or none");
    Rejection::new(400, "scenario_not_found", message)
}
