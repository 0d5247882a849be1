//! Budgets: what may be used in some time by all requests together, and which
//! requests are charged to which.

use headworks_sdk::prelude::*;

/// One budget, as people write it.
#[config]
pub(crate) struct BudgetSettings {
    name: String,
    tokens: Option<u64>,
    requests: Option<u64>,
    concurrent: Option<u64>,
    per: Option<Per>,
    burst: Option<u64>,
    #[serde(default)]
    by: Vec<By>,
    #[serde(default)]
    only: Only,
    #[serde(default)]
    shadow: bool,
}

#[config]
#[derive(Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Per {
    Second,
    Minute,
    Hour,
    Day,
    Month,
}

#[config]
#[derive(Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum By {
    Tenant,
    Key,
    Model,
    Class,
}

/// Which requests a budget is about; those of whom all lists say nothing or
/// name them.
#[config]
#[derive(Default)]
pub(crate) struct Only {
    tenants: Option<Vec<String>>,
    keys: Option<Vec<String>>,
    models: Option<Vec<String>>,
    classes: Option<Vec<String>>,
}

/// The budgets, declared.
pub(crate) struct Budgets(Vec<(Only, Budget)>);

impl Budgets {
    /// Declares them to the gateway.
    pub(crate) fn declare(settings: Vec<BudgetSettings>) -> Self {
        let declared = settings.into_iter().filter_map(|settings| {
            let budget = settings.allowance()?.declare();
            Some((settings.only, budget))
        });
        Self(declared.collect())
    }

    /// Charges a request to those that are about it.
    pub(crate) fn charge(&self, request: &mut Request) {
        for (only, budget) in &self.0 {
            if only.is_about(request) {
                request.charge(budget);
            }
        }
    }
}

impl BudgetSettings {
    pub(crate) fn check_all(all: &[Self], problems: &mut Problems) {
        for (place, budget) in all.iter().enumerate() {
            let at = format!("budgets.{place}");
            budget.check(&at, problems);
            if all[..place].iter().any(|other| other.name == budget.name) {
                let message = format!("`{}` is the name of another budget", budget.name);
                problems.add(format!("{at}.name"), message);
            }
        }
    }

    fn check(&self, at: &str, problems: &mut Problems) {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || !self.name.chars().all(is_plain) {
            let message = "must be letters, digits, `-` and `_`: metrics have it as a label";
            problems.add(format!("{at}.name"), message);
        }
        match (self.tokens, self.requests, self.concurrent) {
            (Some(_), None, None) | (None, Some(_), None) if self.per.is_none() => problems.add(
                format!("{at}.per"),
                "is missing; `second`, `minute`, `hour`, `day` or `month`",
            ),
            (Some(amount), None, None) | (None, Some(amount), None) => {
                self.check_amount(at, amount, problems);
            }
            (None, None, Some(amount)) => {
                self.check_amount(at, amount, problems);
                if self.per.is_some() || self.burst.is_some() {
                    let message =
                        "is about exchanges at one time, which take no `per` and no `burst`";
                    problems.add(format!("{at}.concurrent"), message);
                }
            }
            _ => problems.add(at, "takes one of `tokens`, `requests` and `concurrent`"),
        }
    }

    fn check_amount(&self, at: &str, amount: u64, problems: &mut Problems) {
        if amount == 0 {
            problems.add(
                at,
                "lets nothing through; its amount must be greater than 0",
            );
        }
        if self.burst.is_some_and(|burst| burst == 0 || burst > amount) {
            let message = format!("must be between 1 and the amount of {amount}");
            problems.add(format!("{at}.burst"), message);
        }
        if self.burst.is_some() && matches!(self.per, Some(Per::Day | Per::Month)) {
            let message = "says nothing for a day or a month, which may be used up at once";
            problems.add(format!("{at}.burst"), message);
        }
    }

    fn allowance(&self) -> Option<Allowance> {
        let per = self.per.map_or(Period::Minute, Period::from);
        let allowance = match (self.tokens, self.requests, self.concurrent) {
            (Some(amount), ..) => Allowance::tokens(&self.name, amount, per),
            (_, Some(amount), _) => Allowance::requests(&self.name, amount, per),
            (.., Some(amount)) => Allowance::exchanges(&self.name, amount),
            _ => return None,
        };
        let by: Vec<Scope> = self.by.iter().copied().map(Scope::from).collect();
        let burst = self.burst.unwrap_or(0);
        Some(allowance.by(&by).burst(burst).shadow(self.shadow))
    }
}

impl Only {
    fn is_about(&self, request: &Request) -> bool {
        has(self.tenants.as_deref(), || request.tenant())
            && has(self.keys.as_deref(), || request.key())
            && has(self.classes.as_deref(), || request.class())
            && has(self.models.as_deref(), || Some(request.model().to_owned()))
    }
}

/// Whether a list names something, or there is no list.
fn has(list: Option<&[String]>, wanted: impl FnOnce() -> Option<String>) -> bool {
    list.is_none_or(|list| wanted().is_some_and(|wanted| list.contains(&wanted)))
}

impl From<Per> for Period {
    fn from(per: Per) -> Self {
        match per {
            Per::Second => Self::Second,
            Per::Minute => Self::Minute,
            Per::Hour => Self::Hour,
            Per::Day => Self::Day,
            Per::Month => Self::Month,
        }
    }
}

impl From<By> for Scope {
    fn from(by: By) -> Self {
        match by {
            By::Tenant => Self::Tenant,
            By::Key => Self::Key,
            By::Model => Self::Model,
            By::Class => Self::Class,
        }
    }
}
