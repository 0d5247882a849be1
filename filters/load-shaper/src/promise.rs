//! What a request was promised when it was placed, kept until it ends.

use headworks_sdk::prelude::*;

/// Keeps the time in which the answer should be complete, as four bytes of
/// milliseconds; nothing of a request that is late whatever the law learns.
pub(crate) fn keep(request: &mut Request, objective: Option<Duration>) {
    match objective {
        Some(objective) => {
            let millis = u32::try_from(objective.as_millis()).unwrap_or(u32::MAX);
            request.set_state(&millis.to_le_bytes());
        }
        // It may have been promised something on an endpoint that failed.
        None if request.attempt() > 0 => request.set_state(&[]),
        None => {}
    }
}

/// Whether the promise was kept, if there was one and the end says that.
pub(crate) fn was_kept(request: &Request, outcome: &Outcome) -> Option<bool> {
    let millis = u32::from_le_bytes(request.state().try_into().ok()?);
    let late = outcome.latency() > Duration::from_millis(millis.into());
    match outcome.end() {
        End::Ok => Some(!late),
        // Who leaves before that says nothing about the answer.
        End::ClientGone | End::Timeout if late => Some(false),
        _ => None,
    }
}
