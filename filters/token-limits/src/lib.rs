//! Caps what one request may cost: its prompt, its new tokens, and both
//! together; what asks for more is refused or cut down. And charges requests to
//! budgets, which hold across them.

mod budgets;
mod limit;
mod settings;
#[cfg(test)]
mod tests;

use headworks_sdk::prelude::*;

pub use settings::Config;

use budgets::Budgets;
use settings::Limits;

/// The filter.
pub struct TokenLimits {
    general: Limits,
    by_model: BTreeMap<String, Limits>,
    budgets: Budgets,
}

#[filter]
impl Filter for TokenLimits {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, Problems> {
        Ok(Self {
            general: config.general(),
            by_model: config.by_model(),
            budgets: Budgets::declare(config.budgets),
        })
    }

    fn on_request(&self, request: &mut Request) -> Verdict {
        if let Err(rejection) = self.of(request).apply(request) {
            return rejection.into();
        }
        self.budgets.charge(request);
        Verdict::Next
    }
}

impl TokenLimits {
    fn of(&self, request: &Request) -> Limits {
        if self.by_model.is_empty() {
            return self.general;
        }
        let own = self.by_model.get(request.model());
        own.copied().unwrap_or(self.general)
    }
}
