//! `budgets`: what filters declare may be used in some time.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::Result;

use super::super::bindings::budgets::{self, Host};
use super::super::failure::BadCall;
use super::super::state::State;
use crate::limit::{Allowance, Attribute, Budget, Period, Unit};

/// Budgets that one filter may declare.
const BUDGETS: usize = 1000;

impl Host for State {
    fn declare(&mut self, budget: budgets::Budget) -> Result<u32> {
        self.declared("budgets.declare")?;
        if self.budgets.len() == BUDGETS {
            return Err(BadCall(format!("a filter may declare {BUDGETS} budgets at most")).into());
        }
        if budget.name.is_empty() || budget.amount == 0 {
            let message = "a budget needs a name and an amount greater than 0";
            return Err(BadCall(message.to_owned()).into());
        }
        self.budgets.push(Arc::new(allowance(budget)));
        Ok((self.budgets.len() - 1) as u32)
    }
}

fn allowance(budget: budgets::Budget) -> Allowance {
    let by = attributes(budget.by);
    let amount = budget.amount;
    let burst = match budget.burst {
        0 => (amount / 10).max(1),
        burst => burst,
    };
    let budget = Budget {
        name: budget.name.into(),
        unit: match budget.unit {
            budgets::Unit::Tokens => Unit::Tokens,
            budgets::Unit::Requests => Unit::Requests,
            budgets::Unit::Exchanges => Unit::Exchanges,
        },
        period: period(budget.unit, budget.period),
        amount,
        burst,
        shadow: budget.shadow,
    };
    Allowance {
        budget: Arc::new(budget),
        by,
    }
}

fn period(unit: budgets::Unit, period: budgets::Period) -> Period {
    if unit == budgets::Unit::Exchanges {
        return Period::AtOnce;
    }
    let seconds = |seconds| Period::Rolling(Duration::from_secs(seconds));
    match period {
        budgets::Period::Second => seconds(1),
        budgets::Period::Minute => seconds(60),
        budgets::Period::Hour => seconds(3600),
        budgets::Period::Day => Period::Day,
        budgets::Period::Month => Period::Month,
    }
}

fn attributes(by: budgets::Scope) -> Vec<Attribute> {
    let all = [
        (budgets::Scope::TENANT, Attribute::Tenant),
        (budgets::Scope::KEY, Attribute::Key),
        (budgets::Scope::MODEL, Attribute::Model),
        (budgets::Scope::CLASS, Attribute::Class),
    ];
    let named = all.into_iter().filter(|(flag, _)| by.contains(*flag));
    named.map(|(_, attribute)| attribute).collect()
}
