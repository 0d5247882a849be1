//! A scenario of the unified API: a prompt template, parameters for those who
//! say nothing of them, a pool.

mod parameter;
mod template;

use std::collections::BTreeSet;

use headworks_sdk::prelude::*;

use crate::models::Models;
use crate::settings::ScenarioSettings;
use crate::words::{bounded, quoted, suggest};
use template::Template;

/// What a scenario does to a request.
pub(crate) struct Scenario {
    template: Option<Template>,
    parameters: BTreeMap<String, Value>,
    /// The models that it is for, aliases followed; all when absent.
    models: Option<BTreeSet<String>>,
    pool: Option<String>,
}

impl Scenario {
    /// Judges a scenario of the settings.
    pub(crate) fn new(
        name: &str,
        settings: ScenarioSettings,
        models: &Models,
        problems: &mut Problems,
    ) -> Self {
        let at = format!("scenarios.{}", quoted(name));
        let template = settings.template.as_deref().map(Template::parse);
        for (name, value) in &settings.parameters {
            let place = format!("{at}.parameters.{}", quoted(name));
            problems.check(place, parameter::check(name, value));
        }
        if let Some(pool) = &settings.pool {
            problems.check(format!("{at}.pool"), setup::uses_pool(pool));
        }
        let own = settings.models;
        Self {
            template: template.and_then(|read| problems.check(format!("{at}.template"), read)),
            parameters: settings.parameters,
            models: own.map(|own| resolve(&format!("{at}.models"), &own, models, problems)),
            pool: settings.pool,
        }
    }

    /// Does it to a request, whose model is routed.
    ///
    /// # Errors
    /// The scenario is not for this request.
    pub(crate) fn apply(&self, name: &str, request: &mut Request) -> Result<(), Rejection> {
        let is_for = |models: &BTreeSet<String>| models.contains(request.model());
        if !self.models.as_ref().is_none_or(is_for) {
            return Err(not_for(name, request.model()));
        }
        if let Some(template) = &self.template {
            let wrapped = request.wrap_prompt(&template.before, &template.after);
            wrapped.map_err(|refused| unusable(name, &refused))?;
        }
        for (parameter, value) in &self.parameters {
            // To say null is to say nothing.
            if request
                .parameter(parameter)
                .is_none_or(|said| said.is_null())
            {
                let set = request.set_parameter(parameter, value.clone());
                set.map_err(|refused| unusable(name, &refused))?;
            }
        }
        if let Some(pool) = &self.pool {
            request.route(pool);
        }
        Ok(())
    }
}

fn resolve(at: &str, ids: &[String], models: &Models, problems: &mut Problems) -> BTreeSet<String> {
    if ids.is_empty() {
        problems.add(
            at,
            "is empty, so nobody could use the scenario; leave it out for all models",
        );
    }
    let mut resolved = BTreeSet::new();
    for (i, id) in ids.iter().enumerate() {
        let found = models.resolve(id).map(str::to_owned);
        let missing = || format!("no model `{id}`{}", suggest(id, models.ids()));
        resolved.extend(problems.check(format!("{at}[{i}]"), found.ok_or_else(missing)));
    }
    resolved
}

fn not_for(name: &str, model: &str) -> Rejection {
    let message = match model {
        "" => format!("the scenario `{name}` is for some models only; name one of them"),
        model => {
            format!(
                "the scenario `{name}` is not for the model `{}`",
                bounded(model)
            )
        }
    };
    Rejection::new(400, "scenario_not_for_model", message)
}

fn unusable(name: &str, refused: &Refused) -> Rejection {
    let message = format!("the scenario `{name}` does not go with this request: {refused}");
    Rejection::new(400, "scenario_not_applicable", message)
}
