//! Loading a filter: compile, instantiate, configure, and say plainly what is
//! wrong. It takes its time, so it is for a thread that may block.

use std::sync::Arc;

use super::filter::Filter;
use super::idle::Idle;
use super::instance::Configured;
use super::log::LogBudget;
use super::recipe::Recipe;
use super::runtime::Runtime;
use super::state::Scope;
use crate::config;
use crate::filter::Plan;
use crate::upstream::Pools;

/// Lines that a filter may log within a second.
const LOG_LINES: u32 = 50;

/// A filter to be loaded.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// What the configuration says of it.
    pub config: &'a config::Filter,
    /// Its place in the chain, from 0.
    pub place: usize,
    /// Where the code comes from, for messages: a path or `builtin:` and a name.
    pub origin: &'a str,
    /// A component, or a core module built with the SDK.
    pub bytes: &'a [u8],
    /// The pools of the generation that it is loaded for.
    pub pools: &'a Arc<Pools>,
}

/// Why a filter cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Its code is not usable.
    #[error("filter `{filter}`: {origin}: {reason}")]
    Unusable {
        /// Its name.
        filter: Arc<str>,
        /// Where the code comes from.
        origin: String,
        /// What is wrong, one line.
        reason: String,
    },
    /// It refuses its settings.
    #[error("filter `{filter}` refuses its settings: {}", list(.problems))]
    Settings {
        /// Its name.
        filter: Arc<str>,
        /// At least one.
        problems: Vec<SettingsProblem>,
    },
}

/// One thing that a filter does not like in its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsProblem {
    /// Where, below `settings`; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl SettingsProblem {
    fn to_text(&self) -> String {
        match self.path.as_str() {
            "" => self.message.clone(),
            path => format!("{path}: {}", self.message),
        }
    }
}

impl Runtime {
    /// Loads a filter. Blocks for as long as its code takes to compile, if it
    /// is new, and its `configure` to run.
    pub fn load(self: &Arc<Self>, source: Source<'_>) -> Result<Filter, LoadError> {
        let recipe = self.recipe(source)?;
        let meter = self.meters().of(&source.config.name);
        let Configured {
            instance,
            plan,
            declared,
        } = recipe.start().map_err(|failure| {
            meter.failed(&failure, &recipe.code.digest);
            source.unusable(format!("{} failed: {}", failure.hook, failure.message))
        })?;
        let plan = plan.map_err(|problems| source.settings(problems))?;
        let deadline = source.config.deadline;
        let idle = Idle::new();
        idle.give(instance);
        Ok(Filter {
            meter,
            recipe,
            plan: Plan {
                on_request: plan.on_request,
                place: plan.place,
                on_complete: plan.on_complete,
            },
            models: declared.models,
            deadline,
            idle,
        })
    }

    fn recipe(self: &Arc<Self>, source: Source<'_>) -> Result<Recipe, LoadError> {
        let config = source.config;
        let code = self.codes().load(source.bytes);
        Ok(Recipe {
            code: code.map_err(|error| source.unusable(error.to_string()))?,
            scope: Arc::new(Scope {
                name: Arc::clone(&config.name),
                place: source.place,
                pools: Arc::clone(source.pools),
                grants: config.grants.clone(),
                store: self.store(&config.name),
                registry: Arc::clone(self.registry()),
                ticker: Arc::clone(self.ticker()),
                log: LogBudget::new(LOG_LINES),
                log_dropped: self.meters().log_dropped(&config.name),
            }),
            runtime: Arc::clone(self),
            settings: config.settings.to_string(),
            max_memory: config.max_memory,
        })
    }
}

impl Source<'_> {
    fn unusable(&self, reason: String) -> LoadError {
        LoadError::Unusable {
            filter: Arc::clone(&self.config.name),
            origin: self.origin.to_owned(),
            reason,
        }
    }

    fn settings(&self, problems: Vec<super::bindings::types::SettingsProblem>) -> LoadError {
        let problems = problems.into_iter().map(|problem| SettingsProblem {
            path: problem.path,
            message: problem.message,
        });
        LoadError::Settings {
            filter: Arc::clone(&self.config.name),
            problems: problems.collect(),
        }
    }
}

fn list(problems: &[SettingsProblem]) -> String {
    let problems: Vec<_> = problems.iter().map(SettingsProblem::to_text).collect();
    problems.join("; ")
}
