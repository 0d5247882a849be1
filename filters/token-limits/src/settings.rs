//! The settings, and what cannot be meant by them.

use headworks_sdk::prelude::*;

use crate::budgets::BudgetSettings;

/// Limits for every model, and others for some.
#[config(check)]
pub struct Config {
    max_input_tokens: Option<Input>,
    max_new_tokens: Option<New>,
    max_total_tokens: Option<Total>,
    #[serde(default)]
    models: BTreeMap<String, Limits>,
    #[serde(default)]
    pub(crate) budgets: Vec<BudgetSettings>,
}

/// Limits of one request.
#[config]
#[derive(Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) max_input_tokens: Option<Input>,
    pub(crate) max_new_tokens: Option<New>,
    pub(crate) max_total_tokens: Option<Total>,
}

/// The longest prompt. There is no cutting it down.
#[config]
#[derive(Clone, Copy)]
pub(crate) struct Input {
    pub(crate) limit: u32,
    #[serde(default)]
    #[expect(dead_code, reason = "there is one choice, which may be spelt out")]
    over: Refuse,
}

/// The most new tokens, and how many when the client does not say.
#[config]
#[derive(Clone, Copy)]
pub(crate) struct New {
    pub(crate) limit: u32,
    #[serde(default)]
    pub(crate) over: Over,
    pub(crate) default: Option<u32>,
}

/// The most of prompt and new tokens together.
#[config]
#[derive(Clone, Copy)]
pub(crate) struct Total {
    pub(crate) limit: u32,
    #[serde(default)]
    pub(crate) over: Over,
}

/// What becomes of a request that asks for more.
#[config]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Over {
    #[default]
    Refuse,
    Clamp,
}

#[config]
#[derive(Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum Refuse {
    #[default]
    Refuse,
}

impl Config {
    /// The limits of a model that has none of its own.
    pub(crate) fn general(&self) -> Limits {
        Limits {
            max_input_tokens: self.max_input_tokens,
            max_new_tokens: self.max_new_tokens,
            max_total_tokens: self.max_total_tokens,
        }
    }

    /// The limits of models that have their own; what those leave out is general.
    pub(crate) fn by_model(&self) -> BTreeMap<String, Limits> {
        let general = self.general();
        let own = self.models.iter();
        own.map(|(id, own)| (id.clone(), own.or(general))).collect()
    }

    fn check(&self, problems: &mut Problems) {
        self.general().check("", problems);
        for (id, limits) in &self.models {
            limits.check(&format!("models.{}.", quoted(id)), problems);
        }
        BudgetSettings::check_all(&self.budgets, problems);
    }
}

impl Limits {
    fn or(self, general: Self) -> Self {
        Self {
            max_input_tokens: self.max_input_tokens.or(general.max_input_tokens),
            max_new_tokens: self.max_new_tokens.or(general.max_new_tokens),
            max_total_tokens: self.max_total_tokens.or(general.max_total_tokens),
        }
    }

    fn check(&self, at: &str, problems: &mut Problems) {
        let limits = [
            (
                "max_input_tokens",
                self.max_input_tokens.map(|input| input.limit),
            ),
            ("max_new_tokens", self.max_new_tokens.map(|new| new.limit)),
            (
                "max_total_tokens",
                self.max_total_tokens.map(|total| total.limit),
            ),
        ];
        for (name, limit) in limits {
            if limit == Some(0) {
                problems.add(format!("{at}{name}.limit"), "must be greater than 0, got 0");
            }
        }
        if let Some(New {
            limit,
            default: Some(default),
            ..
        }) = self.max_new_tokens
        {
            if default == 0 || default > limit {
                let message = format!("must be between 1 and the limit of {limit}, got {default}");
                problems.add(format!("{at}max_new_tokens.default"), message);
            }
        }
    }
}

/// A key of a table as TOML has it.
fn quoted(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        format!("{key:?}")
    }
}
