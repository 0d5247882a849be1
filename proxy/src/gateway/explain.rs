//! Tells a client who asks why its request went where it did: a header of the
//! answer, as a dictionary of RFC 9651.

use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::exchange::Exchange;
use crate::upstream::Slot;

/// Asks, on a request, and tells, on its answer.
pub(super) const DECISION: HeaderName = HeaderName::from_static("x-headworks-decision");

/// What was decided, if the client asked for that. Endpoints are told by their
/// number in the pool: where they are is nobody's business.
pub(super) fn decision(exchange: &Exchange, slot: Option<&Slot>) -> Option<HeaderValue> {
    exchange.head.headers.get(&DECISION)?;
    let mut told = String::new();
    let ms = |duration: Duration| duration.as_millis();
    // Writing to a string cannot fail.
    if let Some(slot) = slot {
        let _ = write!(told, "endpoint={}, ", slot.id());
    }
    if let Some(why) = &exchange.why {
        let _ = write!(told, "why=\"{}\", ", plain(why));
    }
    if let Some(predicted) = exchange.predicted {
        let _ = write!(told, "predicted-ms={}, ", ms(predicted));
    }
    if let Some(objective) = exchange.objective {
        let _ = write!(told, "objective-ms={}, ", ms(objective));
    }
    let _ = write!(told, "queued-ms={}", ms(exchange.outcome.queued));
    HeaderValue::try_from(told).ok()
}

/// What may stand in a string of RFC 9651 as it is.
fn plain(text: &str) -> String {
    let stays = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    text.chars().filter(|c| stays(*c)).collect()
}
