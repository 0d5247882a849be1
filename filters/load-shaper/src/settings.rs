//! The settings as people write them, and what is wrong with them.

use headworks_sdk::prelude::*;

use crate::law;
use crate::rules::{Classes, Objective, Rules, Terms};
use crate::time;

/// In which time answers are to be complete, and for whom that differs.
#[config]
pub struct Config {
    pub(crate) max_in_flight: Option<u32>,
    #[serde(default)]
    pub(crate) size_neutral: bool,
    p99: Option<String>,
    priority: Option<Priority>,
    #[serde(default)]
    models: BTreeMap<String, Model>,
    #[serde(default)]
    classes: BTreeMap<String, Class>,
}

/// What differs for a model, and for classes with it.
#[config]
struct Model {
    p99: Option<String>,
    priority: Option<Priority>,
    #[serde(default)]
    classes: BTreeMap<String, Class>,
}

/// What differs for a class of keys.
#[config]
struct Class {
    p99: Option<String>,
    priority: Option<Priority>,
}

#[config]
#[derive(Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Priority {
    Low,
    Normal,
    High,
}

impl Config {
    /// What holds for whom. Adds all that is wrong.
    pub(crate) fn rules(&self, problems: &mut Problems) -> Rules {
        if self.max_in_flight == Some(0) {
            let message = "must be greater than 0, got 0; leave it out for no limit";
            problems.add("max_in_flight", message);
        }
        Rules {
            general: terms("", self.p99.as_deref(), self.priority, problems),
            classes: classes("", &self.classes, problems),
            models: models(&self.models, problems),
        }
    }
}

fn models(
    models: &BTreeMap<String, Model>,
    problems: &mut Problems,
) -> BTreeMap<String, (Terms, Classes)> {
    let read = |(id, model): (&String, &Model)| {
        let at = format!("models.{}.", quoted(id));
        let own = terms(&at, model.p99.as_deref(), model.priority, problems);
        (id.clone(), (own, classes(&at, &model.classes, problems)))
    };
    models.iter().map(read).collect()
}

fn classes(at: &str, classes: &BTreeMap<String, Class>, problems: &mut Problems) -> Classes {
    let read = |(name, class): (&String, &Class)| {
        let at = format!("{at}classes.{}.", quoted(name));
        let terms = terms(&at, class.p99.as_deref(), class.priority, problems);
        (name.clone(), terms)
    };
    classes.iter().map(read).collect()
}

fn terms(
    at: &str,
    p99: Option<&str>,
    priority: Option<Priority>,
    problems: &mut Problems,
) -> Terms {
    Terms {
        objective: p99.and_then(|text| problems.check(format!("{at}p99"), objective(text))),
        priority: priority.map(law::Priority::from),
    }
}

fn objective(text: &str) -> Result<Objective, String> {
    match text {
        "auto" => Ok(Objective::Auto),
        text => time::parse(text).map(Objective::Within),
    }
}

impl From<Priority> for law::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Low => Self::Low,
            Priority::Normal => Self::Normal,
            Priority::High => Self::High,
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
