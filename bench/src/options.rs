//! What can be asked of the bench of proxies.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::subject::Subject;

/// Both ends of a proxy.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Ends {
    /// Address to listen on.
    #[arg(long)]
    pub(crate) listen: SocketAddr,
    /// Address to forward to.
    #[arg(long)]
    pub(crate) upstream: SocketAddr,
}

/// What to measure, how long, and where to tell.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often everything is measured; proxies take turns within a round.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Small requests for each proxy and round; other workloads take a share of it.
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(4_000..))]
    pub(crate) requests: u32,
    /// A tenth of the requests: quick, and coarse.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Keep-alive connections of the load, each with one request at a time.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub(crate) connections: u16,
    /// What to measure; plain Pingora always is, since ratios refer to it.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Subject::USUAL)]
    pub(crate) subjects: Vec<Subject>,
    /// The Headworks binary [default: the one beside this binary].
    #[arg(long, value_name = "PATH")]
    pub(crate) headworks: Option<PathBuf>,
    /// The model server behind the proxies.
    #[arg(long, value_enum, default_value_t = UpstreamKind::Fixed)]
    pub(crate) upstream_kind: UpstreamKind,
    /// Write the figures as JSON too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Exit with 1 if a bar is missed or was not measured.
    #[arg(long)]
    pub(crate) enforce: bool,
}

impl Options {
    /// Small requests for each proxy and round, with `--quick` applied.
    pub(crate) fn requests(&self) -> u32 {
        if self.quick {
            self.requests / 10
        } else {
            self.requests
        }
    }
}

/// A model server to put behind the proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UpstreamKind {
    /// `headworks-bench upstream`: fixed answers, events that carry their time.
    Fixed,
    /// `headworks-stub --profile instant`, found beside this binary.
    Stub,
}
