//! What is counted and timed. One `Registry` holds every metric, the gateway's
//! own and those that filters make, and fans the same numbers out to
//! Prometheus, when asked, and StatsD, every second. It outlives reloads.
//!
//! Beside it are the access log, a line for each exchange, and traces, spans of those
//! that are sampled.
//!
//! A metric has one name for both: dotted words, in which `{label}` marks where
//! StatsD puts the value of a label.
//!
//! | registered as | StatsD | Prometheus |
//! |---|---|---|
//! | `requests.total` | `requests.total` | `headworks_requests_total` |
//! | `requests.model.{model}` | `requests.model.qwen2` | `headworks_requests_model_total{model="qwen2"}` |
//! | `request.latency`, a timer | `request.latency`, ms | `headworks_request_latency_seconds` |

mod access_log;
mod cell;
mod count;
mod error;
mod exporting;
mod family;
mod metrics;
mod name;
mod prometheus;
mod registry;
mod statsd;
mod statsd_lines;
#[cfg(test)]
mod tests;
mod traces;

pub use access_log::{AccessLog, Sink};
pub use cell::{Cell, Level, Timings};
pub use count::Count;
pub use error::{LabelCount, RegisterError};
pub use family::{Family, LABEL_SETS, OTHER};
pub use name::Kind;
pub use prometheus::CONTENT_TYPE;
pub use registry::Registry;
pub use statsd::StatsdError;
pub use traces::{TRACEPARENT, Trace, Tracer, Traces};

/// Counts up, by label set.
pub type Counter = Family<Count>;
/// Goes up and down, by label set.
pub type Gauge = Family<Level>;
/// A histogram of durations, by label set.
pub type Timer = Family<Timings>;
