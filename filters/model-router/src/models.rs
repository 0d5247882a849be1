//! The models by id: where each is, and who may use it.

use std::iter;

use headworks_sdk::prelude::*;

use crate::allow::Allow;
use crate::settings::ModelSettings;
use crate::split::Split;
use crate::words::{bounded, quoted, suggest};

/// All models. Without any in the settings each pool is one.
pub(crate) struct Models(BTreeMap<String, Model>);

struct Model {
    way: Way,
    /// The pool to use while nothing answers in the other.
    fallback: Option<String>,
    allow: Option<Allow>,
}

enum Way {
    Pool(String),
    Split(Split),
    /// The id of another.
    Alias(String),
}

impl Models {
    /// Judges the models and declares them to the gateway.
    pub(crate) fn new(
        mut settings: BTreeMap<String, ModelSettings>,
        problems: &mut Problems,
    ) -> Self {
        if settings.is_empty() {
            settings = upstreams::pools().into_iter().map(of_pool).collect();
        }
        check_aliases(&settings, problems);
        let mut models = BTreeMap::new();
        for (id, settings) in settings {
            setup::serves_model(&id);
            let model = Model::new(&format!("models.{}", quoted(&id)), settings, problems);
            models.extend(model.map(|model| (id, model)));
        }
        Self(models)
    }

    /// Sends a request to the pool of its model; false if it is not listed.
    ///
    /// # Errors
    /// The client may not use the model.
    pub(crate) fn route(&self, request: &mut Request) -> Result<bool, Rejection> {
        let mut last = None;
        for (id, model) in self.walk(request.model()) {
            let admits = |allow: &Allow| allow.admits(request);
            if !model.allow.as_ref().is_none_or(admits) {
                return Err(not_allowed(request.model()));
            }
            last = Some((id, model));
        }
        let Some((id, model)) = last else {
            return Ok(false);
        };
        if id != request.model() {
            request.set_model(id);
        }
        model.route(request);
        Ok(true)
    }

    /// The id of the model that this one is an alias of, or its own; `None` if
    /// it is not listed.
    pub(crate) fn resolve(&self, id: &str) -> Option<&str> {
        self.walk(id).last().map(|(id, _)| id)
    }

    /// The ids of all.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(String::as_str)
    }

    /// The model of this id, that which it is an alias of, and so on.
    fn walk<'a>(&'a self, id: &str) -> impl Iterator<Item = (&'a str, &'a Model)> + use<'a> {
        iter::successors(self.get(id), |(_, model)| match &model.way {
            Way::Alias(other) => self.get(other),
            Way::Pool(_) | Way::Split(_) => None,
        })
    }

    fn get(&self, id: &str) -> Option<(&str, &Model)> {
        let (id, model) = self.0.get_key_value(id)?;
        Some((id, model))
    }
}

impl Model {
    /// `None` if nothing says where it is.
    fn new(at: &str, settings: ModelSettings, problems: &mut Problems) -> Option<Self> {
        let ModelSettings {
            pool,
            alias,
            split,
            fallback,
            allow,
        } = settings;
        if let Some(pool) = &fallback {
            let fallback = format!("{at}.fallback");
            problems.check(&fallback, setup::uses_pool(pool));
            if alias.is_some() {
                problems.add(
                    fallback,
                    "belongs to the model that this one is an alias of",
                );
            }
        }
        Some(Self {
            way: Way::new(at, pool, alias, split, problems)?,
            fallback,
            allow: allow.map(|allow| Allow::new(&format!("{at}.allow"), allow, problems)),
        })
    }

    fn route(&self, request: &mut Request) {
        let pool = match &self.way {
            Way::Pool(pool) => pool,
            Way::Split(split) => split.pick(),
            Way::Alias(_) => return,
        };
        match &self.fallback {
            Some(fallback) if !answers(pool) && answers(fallback) => {
                request.route(fallback);
                request.tag("fallback", pool);
            }
            Some(fallback) => {
                request.route(pool);
                request.fall_back(fallback);
            }
            None => request.route(pool),
        }
    }
}

impl Way {
    fn new(
        at: &str,
        pool: Option<String>,
        alias: Option<String>,
        split: Option<BTreeMap<String, u32>>,
        problems: &mut Problems,
    ) -> Option<Self> {
        match (pool, alias, split) {
            (Some(pool), None, None) => {
                problems.check(format!("{at}.pool"), setup::uses_pool(&pool));
                Some(Self::Pool(pool))
            }
            (None, Some(alias), None) => Some(Self::Alias(alias)),
            (None, None, Some(split)) => Some(Self::Split(Split::new(
                &format!("{at}.split"),
                split,
                problems,
            ))),
            (None, None, None) => {
                problems.add(at, "needs one of `pool`, `alias` and `split`");
                None
            }
            _ => {
                problems.add(at, "takes one of `pool`, `alias` and `split`, not several");
                None
            }
        }
    }
}

fn check_aliases(models: &BTreeMap<String, ModelSettings>, problems: &mut Problems) {
    let alias = |id: &String| models.get(id)?.alias.as_ref();
    for (id, other) in models
        .iter()
        .filter_map(|(id, model)| Some((id, model.alias.as_ref()?)))
    {
        let at = format!("models.{}.alias", quoted(id));
        if !models.contains_key(other) {
            let hint = suggest(other, models.keys().map(String::as_str));
            problems.add(at, format!("no model `{other}`{hint}"));
        } else if iter::successors(Some(other), |id| alias(id))
            .nth(models.len())
            .is_some()
        {
            problems.add(
                at,
                format!("`{other}` leads round in a circle, never to a pool"),
            );
        }
    }
}

fn of_pool(pool: String) -> (String, ModelSettings) {
    let model = ModelSettings {
        pool: Some(pool.clone()),
        ..ModelSettings::default()
    };
    (pool, model)
}

/// Whether anything in a pool does.
fn answers(pool: &str) -> bool {
    let mut endpoints = upstreams::snapshot(pool).into_iter();
    endpoints.any(|endpoint| endpoint.health != Health::Down)
}

fn not_allowed(id: &str) -> Rejection {
    let message = format!("the model `{}` is not open to this client", bounded(id));
    Rejection::new(403, "model_not_allowed", message)
}
