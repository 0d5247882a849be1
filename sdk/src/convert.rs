//! Plain values, from the bindings' types to the SDK's and back; wasm only.

use crate::bindings::headworks::filter::{budgets, types};
use crate::units::millis_at_least;
use crate::{
    Allowance, Candidate, Health, Hooks, Period, Placement, Problems, Rejection, Scope, Unit,
    Verdict,
};

impl From<Problems> for Vec<types::SettingsProblem> {
    fn from(problems: Problems) -> Self {
        let plain = |problem: crate::Problem| types::SettingsProblem {
            path: problem.path,
            message: problem.message,
        };
        problems.into_iter().map(plain).collect()
    }
}

impl From<Hooks> for types::Plan {
    fn from(hooks: Hooks) -> Self {
        Self {
            on_request: hooks.on_request,
            place: hooks.place,
            on_complete: hooks.on_complete,
        }
    }
}

impl From<Rejection> for types::Rejection {
    fn from(rejection: Rejection) -> Self {
        Self {
            retry_after_ms: rejection.retry_after.map(millis_at_least),
            status: rejection.status,
            code: rejection.code,
            message: rejection.message,
        }
    }
}

impl From<Verdict> for types::Verdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Next => Self::Next,
            Verdict::Reject(rejection) => Self::Reject(rejection.into()),
        }
    }
}

impl From<Placement> for types::Placement {
    fn from(placement: Placement) -> Self {
        match placement {
            Placement::At(id) => Self::At(id),
            Placement::Wait => Self::Wait,
            Placement::Reject(rejection) => Self::Reject(rejection.into()),
        }
    }
}

impl From<types::Candidate> for Candidate {
    fn from(candidate: types::Candidate) -> Self {
        Self {
            id: candidate.id,
            health: candidate.health.into(),
            in_flight: candidate.in_flight,
            outstanding_tokens: candidate.outstanding_tokens,
            queue_depth: candidate.queue_depth,
            predicted_ttft_us: candidate.predicted_ttft_us,
            predicted_e2e_us: candidate.predicted_e2e_us,
            predicted_usual_us: candidate.predicted_usual_us,
            unloaded_us: candidate.unloaded_us,
            prefill_us: candidate.prefill_us,
            inflicted_us: candidate.inflicted_us,
            step_us: candidate.step_us,
            free_kv_tokens: candidate.free_kv_tokens,
            prefix_hit_tokens: candidate.prefix_hit_tokens,
            weight: candidate.weight,
            marks: candidate.marks,
        }
    }
}

impl From<types::Health> for Health {
    fn from(health: types::Health) -> Self {
        match health {
            types::Health::Up => Self::Up,
            types::Health::Degraded => Self::Degraded,
            types::Health::Down => Self::Down,
        }
    }
}

impl<'a> From<&'a Allowance> for budgets::Budget<'a> {
    fn from(allowance: &'a Allowance) -> Self {
        let by = allowance.by.iter().copied().map(budgets::Scope::from);
        Self {
            name: &allowance.name,
            unit: allowance.unit.into(),
            period: allowance.period.into(),
            amount: allowance.amount,
            burst: allowance.burst,
            by: by.fold(budgets::Scope::empty(), |all, one| all | one),
            shadow: allowance.shadow,
        }
    }
}

impl From<Unit> for budgets::Unit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Tokens => Self::Tokens,
            Unit::Requests => Self::Requests,
            Unit::Exchanges => Self::Exchanges,
        }
    }
}

impl From<Period> for budgets::Period {
    fn from(period: Period) -> Self {
        match period {
            Period::Second => Self::Second,
            Period::Minute => Self::Minute,
            Period::Hour => Self::Hour,
            Period::Day => Self::Day,
            Period::Month => Self::Month,
        }
    }
}

impl From<Scope> for budgets::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Tenant => Self::TENANT,
            Scope::Key => Self::KEY,
            Scope::Model => Self::MODEL,
            Scope::Class => Self::CLASS,
        }
    }
}
