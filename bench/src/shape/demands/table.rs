//! The table of demands. What a demand is of has the value that a simulation of
//! the same rig came to, with about a tenth added for gateway and sockets.

use super::super::policy::Policy::{
    Fixed10, Gradient, Gradient2, LeastConnections, Pinned, RoundRobin, Shaper, ShaperSizeNeutral,
};
use super::Bound::{AtLeast, AtMost};
use super::{Against, Bound, Demand, Figure, Policy};

const P99: (&str, Figure) = ("P99, s", Figure::Of(|row| row.p99_s));
const P50: (&str, Figure) = (
    "P50, ms",
    Figure::Of(|row| row.p50_s.map(|seconds| seconds * 1e3)),
);
const MAX_LOAD: (&str, Figure) = ("highest rate in time, req/s", Figure::MaxLoad);
const TTFT_P50: (&str, Figure) = (
    "P50 of the first token, s",
    Figure::Of(|row| row.ttft_p50_s),
);
const ANSWERED: (&str, Figure) = (
    "answers, req/s",
    Figure::Of(|row| Some(row.answered as f64 / row.seconds)),
);
const GOODPUT: (&str, Figure) = ("goodput, req/s", Figure::Of(|row| Some(row.goodput)));
const TOKEN_GOODPUT: (&str, Figure) = ("token goodput", Figure::Of(|row| Some(row.token_goodput)));
const FAILURES: (&str, Figure) = ("failures, share", Figure::Of(|row| Some(row.failures())));
const WINDOW_P99: (&str, Figure) = ("P99 in faults, s", Figure::Of(|row| row.window_p99_s));
const WINDOW_FAILURES: (&str, Figure) = (
    "failures in faults, share",
    Figure::Of(|row| row.window_failures),
);
const WINDOW_IN_TIME: (&str, Figure) = (
    "in time in faults, share",
    Figure::Of(|row| row.window_in_time),
);
const OTHERS: (&str, Figure) = (
    "other tenants in time, share",
    Figure::Of(|row| row.in_time_others),
);
const REFUSAL: (&str, Figure) = ("P99 of refusals, ms", Figure::Of(|row| row.refusal_p99_ms));
const RETRY_AFTER: (&str, Figure) = (
    "refusals with retry-after, share",
    Figure::Of(|row| row.retry_after),
);
const HITS: (&str, Figure) = (
    "prompt tokens in the cache, share",
    Figure::Of(|row| row.cache_hits),
);
const NEW_WORK: (&str, Figure) = (
    "requests later than 0.6 s into a stall, a probe among them",
    Figure::Of(|row| row.stall_new_work.map(|count| count as f64)),
);
const PROBE: (&str, Figure) = (
    "first request after a stall, s",
    Figure::Of(|row| row.stall_probe_s),
);

/// Of the shaper by itself.
const fn of(case: &'static str, (name, figure): (&'static str, Figure), bound: Bound) -> Demand {
    Demand {
        name,
        case,
        policy: Shaper,
        against: None,
        figure,
        bound,
    }
}

/// Of the shaper, as a multiple of another's.
const fn to(
    case: &'static str,
    figure: (&'static str, Figure),
    against: Policy,
    bound: Bound,
) -> Demand {
    Demand {
        against: Some(Against::Ratio(against)),
        ..of(case, figure, bound)
    }
}

/// Of the shaper, by what is more than another's.
const fn more(
    case: &'static str,
    figure: (&'static str, Figure),
    against: Policy,
    bound: Bound,
) -> Demand {
    Demand {
        against: Some(Against::Difference(against)),
        ..of(case, figure, bound)
    }
}

/// Of another policy by itself.
const fn by(
    policy: Policy,
    case: &'static str,
    figure: (&'static str, Figure),
    bound: Bound,
) -> Demand {
    Demand {
        policy,
        ..of(case, figure, bound)
    }
}

pub(super) static DEMANDS: &[Demand] = &[
    of("A1", P99, AtMost(1.5)),
    of("A1", ANSWERED, AtLeast(10.0)),
    of("A1", FAILURES, AtMost(0.01)),
    by(Pinned, "A1", P99, AtLeast(1.5)),
    of("A2", P99, AtMost(1.5)),
    of("A2", FAILURES, AtMost(0.01)),
    of("A2", MAX_LOAD, AtLeast(24.0)),
    to("A2", MAX_LOAD, RoundRobin, AtLeast(1.33)),
    to("A2", MAX_LOAD, LeastConnections, AtLeast(1.15)),
    of("A3", P99, AtMost(1.55)),
    to("A3", P99, LeastConnections, AtMost(0.63)),
    to("A3", P99, RoundRobin, AtMost(0.47)),
    of("A3", MAX_LOAD, AtLeast(16.0)),
    by(RoundRobin, "A3", P99, AtLeast(1.5)),
    by(LeastConnections, "A3", P99, AtLeast(1.5)),
    by(Gradient, "A3", P99, AtLeast(1.5)),
    of("A4", WINDOW_P99, AtMost(1.65)),
    to("A4", WINDOW_P99, LeastConnections, AtMost(0.357)),
    to("A4", WINDOW_P99, RoundRobin, AtMost(0.1)),
    of("A4", WINDOW_FAILURES, AtMost(0.02)),
    of("A5", WINDOW_IN_TIME, AtLeast(0.97)),
    of("A5", NEW_WORK, AtMost(1.0)),
    of("A5", PROBE, AtMost(2.0)),
    of("A6", GOODPUT, AtLeast(50.0)),
    to("A6", GOODPUT, Gradient, AtLeast(4.0)),
    to("A6", GOODPUT, Gradient2, AtLeast(3.0)),
    to("A6", GOODPUT, Fixed10, AtLeast(1.5)),
    to("A6", TOKEN_GOODPUT, Fixed10, AtLeast(1.5)),
    of("A6", P99, AtMost(1.55)),
    of("A6", REFUSAL, AtMost(20.0)),
    of("A6", RETRY_AFTER, AtLeast(1.0)),
    by(ShaperSizeNeutral, "A6", GOODPUT, AtLeast(33.0)),
    of("A7", GOODPUT, AtLeast(27.0)),
    of("A7", P99, AtMost(1.55)),
    of("A8", P99, AtMost(3.4)),
    to("A8", P99, LeastConnections, AtMost(0.77)),
    of("A8", FAILURES, AtMost(0.08)),
    to("A8", TTFT_P50, LeastConnections, AtMost(0.35)),
    of("A8", HITS, AtLeast(0.68)),
    to("A8", MAX_LOAD, LeastConnections, AtLeast(1.25)),
    of("A9", OTHERS, AtLeast(0.92)),
    of("A9", P99, AtMost(1.55)),
    of("A9", GOODPUT, AtLeast(38.0)),
    of("A11-whole-slower", P99, AtMost(1.6)),
    of("A11-whole-overload", P99, AtMost(1.6)),
    to("A11-whole-overload", GOODPUT, Fixed10, AtLeast(1.4)),
    of("A11-linear-slower", P99, AtMost(1.6)),
    of("A11-linear-overload", P99, AtMost(1.6)),
    to("A11-linear-overload", GOODPUT, Fixed10, AtLeast(1.4)),
    of("A11-misjudged-slower", P99, AtMost(1.6)),
    of("A11-misjudged-overload", P99, AtMost(1.6)),
    to("A11-misjudged-overload", GOODPUT, Fixed10, AtLeast(1.4)),
    of("A12", FAILURES, AtMost(0.0)),
    to("A12", P99, LeastConnections, AtMost(1.0)),
    more("A12", P50, LeastConnections, AtMost(1.0)),
];
