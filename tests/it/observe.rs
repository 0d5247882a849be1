//! What operators see: the access log, traces, load on a running gateway, and what is
//! drawn from metrics.

mod access_log;
mod bench;
mod monitoring;
mod statsd;
mod strangers;
mod traces;
