//! What holds for a request, by its model and its key's class.

use headworks_sdk::prelude::*;

use crate::law::Priority;

/// An objective that nobody set is so many new tokens of the fastest endpoint
/// long: 1.5 s where one takes 7.5 ms.
const AUTO_STEPS: u32 = 200;

/// In which time an answer should be complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Objective {
    /// As long as the fastest endpoint that is up takes for so many new tokens.
    Auto,
    /// In this time.
    Within(Duration),
}

/// What holds for some requests; what is left out, more general terms say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) objective: Option<Objective>,
    pub(crate) priority: Option<Priority>,
}

/// Terms of classes, by their names.
pub(crate) type Classes = BTreeMap<String, Terms>;

/// What holds for whom.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) general: Terms,
    pub(crate) classes: Classes,
    /// By the model's label: of the model, and of classes with it.
    pub(crate) models: BTreeMap<String, (Terms, Classes)>,
}

impl Objective {
    /// The time, with these endpoints; none while nothing is known of them.
    pub(crate) fn with(self, candidates: &[Candidate]) -> Option<Duration> {
        let time = match self {
            Self::Within(time) => return Some(time),
            Self::Auto => candidates.iter().filter(|at| at.health == Health::Up),
        };
        let steps = time.map(|at| at.step_us).filter(|step| *step > 0);
        let fastest = Duration::from_micros(steps.min()?.into());
        Some(fastest * AUTO_STEPS)
    }
}

impl Rules {
    /// Whether there is an objective for anybody.
    pub(crate) fn has_objectives(&self) -> bool {
        let of_models = self.models.values();
        let mut terms = of_models
            .flat_map(|(own, classes)| classes.values().chain([own]))
            .chain(self.classes.values())
            .chain([&self.general]);
        terms.any(|terms| terms.objective.is_some())
    }

    /// What holds for a request: what is said of its class with its model, else
    /// of its class, else of its model, else of all.
    pub(crate) fn of(&self, request: &Request) -> Terms {
        // Asking the gateway for a name costs more than all that is done here.
        let model = match self.models.is_empty() {
            true => None,
            false => self.models.get(&request.model_label()),
        };
        let both = model.map(|(_, classes)| classes);
        let has_classes = both.is_some_and(|both| !both.is_empty()) || !self.classes.is_empty();
        let class = has_classes.then(|| request.class()).flatten();
        let of_class = |classes: &Classes| classes.get(class.as_deref()?).copied();
        let said = [
            both.and_then(of_class),
            of_class(&self.classes),
            model.map(|(own, _)| *own),
        ];
        let said = said.into_iter().flatten();
        said.chain([self.general])
            .reduce(Terms::or)
            .unwrap_or_default()
    }
}

impl Terms {
    fn or(self, general: Self) -> Self {
        Self {
            objective: self.objective.or(general.objective),
            priority: self.priority.or(general.priority),
        }
    }
}
