//! Plain values, from the contract's types to ours and back.

use std::time::Duration;

use super::bindings::types;
use super::log::cut;
use crate::filter::{Candidate, Health, Placement, Rejection, Verdict};

impl From<types::Rejection> for Rejection {
    fn from(rejection: types::Rejection) -> Self {
        Self {
            status: rejection.status,
            code: cut(&rejection.code).to_owned(),
            message: cut(&rejection.message).to_owned(),
            retry_after: rejection
                .retry_after_ms
                .map(|ms| Duration::from_millis(ms.into())),
        }
    }
}

impl From<types::Verdict> for Verdict {
    fn from(verdict: types::Verdict) -> Self {
        match verdict {
            types::Verdict::Next => Self::Next,
            types::Verdict::Reject(rejection) => Self::Reject(rejection.into()),
        }
    }
}

impl From<types::Placement> for Placement {
    fn from(placement: types::Placement) -> Self {
        match placement {
            types::Placement::At(id) => Self::At(id),
            types::Placement::Wait => Self::Wait,
            types::Placement::Reject(rejection) => Self::Reject(rejection.into()),
        }
    }
}

impl From<Health> for types::Health {
    fn from(health: Health) -> Self {
        match health {
            Health::Up => Self::Up,
            Health::Degraded => Self::Degraded,
            Health::Down => Self::Down,
        }
    }
}

impl From<Candidate> for types::Candidate {
    fn from(candidate: Candidate) -> Self {
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
