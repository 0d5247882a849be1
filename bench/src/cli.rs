//! The command line: what can be asked.

use std::net::SocketAddr;

use clap::Parser;

use crate::options::{Ends, Options};
use crate::shape;

/// Measures what Headworks costs, side by side with a plain Pingora proxy.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) enum Command {
    /// CPU time, latency and memory of proxies, in turns, in one run.
    Proxy(Options),
    /// What the load shaper achieves, next to other policies: many runs, hours.
    Shape(shape::Options),
    /// The proxy to compare with: Pingora's textbook load balancer.
    PlainPingora(Ends),
    /// The model server behind the proxies: fixed TGI answers, as fast as can be.
    Upstream {
        /// Address to listen on.
        #[arg(long)]
        listen: SocketAddr,
    },
}
