//! Where an exchange stands in a trace, as the header `traceparent` says:
//! `00-<trace id>-<parent id>-<flags>` (W3C Trace Context, 3.2). The SDK's own
//! reader also takes ids that are too short or have a sign.

use http::HeaderMap;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// The header that says where a request stands in a trace.
pub const TRACEPARENT: &str = "traceparent";

/// Who called, as far as traces go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    trace: TraceId,
    span: SpanId,
    pub(super) is_sampled: bool,
}

/// The part of a trace that an exchange is.
#[derive(Debug, Clone)]
pub struct Trace {
    caller: Option<SpanId>,
    trace: TraceId,
    span: SpanId,
    upstream: SpanId,
}

impl Caller {
    /// The one that a request's head names; what has another form is none.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut parts = headers.get(TRACEPARENT)?.to_str().ok()?.split('-');
        let mut part = |length| parts.next().filter(|part| is_hex(part, length));
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        let has_more = parts.next().is_some();
        if version == "ff" || (version == "00" && has_more) {
            return None;
        }
        let caller = Self {
            trace: TraceId::from_hex(trace).ok()?,
            span: SpanId::from_hex(span).ok()?,
            is_sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        let is_valid = caller.trace != TraceId::INVALID && caller.span != SpanId::INVALID;
        is_valid.then_some(caller)
    }
}

impl Trace {
    /// One of its own, or below its caller's span.
    pub(super) fn below(caller: Option<Caller>) -> Self {
        let span = || SpanId::from(rand::random_range(1..=u64::MAX));
        Self {
            caller: caller.map(|caller| caller.span),
            trace: caller.map_or_else(
                || TraceId::from(rand::random_range(1..=u128::MAX)),
                |caller| caller.trace,
            ),
            span: span(),
            upstream: span(),
        }
    }

    /// The trace that the request with this head is in, if it is in one.
    pub fn id_of(headers: &HeaderMap) -> Option<String> {
        Caller::of(headers).map(|caller| caller.trace.to_string())
    }

    /// The span of the caller, the exchange's parent.
    pub fn caller(&self) -> Option<SpanId> {
        self.caller
    }

    /// The exchange's span.
    pub fn span(&self) -> SpanContext {
        self.context(self.span)
    }

    /// The span of asking an endpoint, the upstream's parent.
    pub fn upstream(&self) -> SpanContext {
        self.context(self.upstream)
    }

    /// The value of `TRACEPARENT` that names the span of asking to the upstream.
    pub fn for_upstream(&self) -> String {
        format!("00-{}-{}-01", self.trace, self.upstream)
    }

    fn context(&self, span: SpanId) -> SpanContext {
        let state = TraceState::default();
        SpanContext::new(self.trace, span, TraceFlags::SAMPLED, false, state)
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn of(traceparent: &str) -> Option<Caller> {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, traceparent.parse().unwrap());
        Caller::of(&headers)
    }

    #[test]
    fn a_caller_is_known_by_its_ids_and_nonsense_is_none() {
        let known = of(&format!("00-{ID}-00f067aa0ba902b7-01")).unwrap();
        assert_eq!(known.trace.to_string(), ID);
        assert!(known.is_sampled);
        let unsampled = of(&format!("00-{ID}-00f067aa0ba902b7-02")).unwrap();
        assert!(!unsampled.is_sampled);
        assert!(of(&format!("cc-{ID}-00f067aa0ba902b7-01-what-comes-later")).is_some());
        for nonsense in [
            &format!("00-{ID}-00f067aa0ba902b7-01-more"),
            &format!("ff-{ID}-00f067aa0ba902b7-01"),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{ID}-{}-01", "0".repeat(16)),
            &format!("00-{}-00f067aa0ba902b7-01", ID.to_uppercase()),
            &format!("00-+{}-00f067aa0ba902b7-01", &ID[1..]),
            "00-1-1-01",
            "\"}, {\"forged\": \"",
            "",
        ] {
            assert_eq!(of(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn an_upstream_gets_the_callers_trace_and_a_span_of_ours() {
        let caller = of(&format!("00-{ID}-00f067aa0ba902b7-01"));
        let trace = Trace::below(caller);
        let upstream = of(&trace.for_upstream()).unwrap();
        assert_eq!(upstream.trace.to_string(), ID);
        assert_eq!(upstream.span, trace.upstream().span_id());
        assert_ne!(trace.span().span_id(), trace.upstream().span_id());
        assert_eq!(trace.caller(), caller.map(|caller| caller.span));
    }
}
