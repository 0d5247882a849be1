//! From what the gateway tells to what the law asks for.

use headworks_sdk::prelude::*;

use crate::law;

/// An endpoint that may have so many requests at a time.
pub(crate) fn candidate(at: &Candidate, max_in_flight: Option<u32>) -> law::Candidate {
    law::Candidate {
        id: at.id,
        health: match at.health {
            Health::Up => law::Health::Up,
            Health::Degraded => law::Health::Suspect,
            Health::Down => law::Health::Down,
        },
        wants_probe: at.wants_probe(),
        is_idle_without_news: at.is_silent(),
        is_full: max_in_flight.is_some_and(|most| at.in_flight >= most),
        in_flight: at.in_flight,
        whole_us: at.predicted_e2e_us,
        whole_usual_us: at.predicted_usual_us,
        unloaded_us: at.unloaded_us,
        own_prefill_us: at.prefill_us,
        inflicted_us: at.inflicted_us,
        makes_late: at.makes_late(),
        weight: at.weight,
    }
}

/// The answer to a client whose request is refused.
pub(crate) fn rejection(kind: law::Refusal, retry_after: Duration) -> Rejection {
    let (status, code, message) = match kind {
        law::Refusal::Overload => (
            503,
            "overloaded",
            "no endpoint would answer in time at the moment; try again later, \
             or with a shorter prompt",
        ),
        law::Refusal::TenantShare => (
            429,
            "tenant_share",
            "you have had more than your share while others were refused theirs; \
             send fewer requests, or try again later",
        ),
        law::Refusal::NoEndpoint => (
            503,
            "no_endpoint",
            "no endpoint answers at the moment; try again later",
        ),
    };
    Rejection::new(status, code, message).retry_after(retry_after)
}

/// A decision as metrics name it.
pub(crate) fn label(decision: &law::Decision) -> &'static str {
    use law::{Decision, Refusal, Way};
    match decision {
        Decision::At {
            way: Way::Probe | Way::Forgotten,
            ..
        } => "probe",
        Decision::At { .. } => "at",
        Decision::Hold { .. } => "hold",
        Decision::Refuse { kind, .. } => match kind {
            Refusal::Overload => "overloaded",
            Refusal::TenantShare => "tenant_share",
            Refusal::NoEndpoint => "no_endpoint",
        },
    }
}
