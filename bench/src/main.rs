//! `headworks-bench`: what Headworks costs, side by side with a plain Pingora
//! proxy in the same run, and what its load shaper achieves ([`shape`]).
//! docs/PERFORMANCE.md tells what is measured and why.
//!
//! A run of `proxy` walks down this list: [`lab`] starts the servers as processes of their
//! own, [`run`] puts each [`workload`] on each [`subject`] in turns ([`measure`], by [`load`]),
//! [`figures`] compares within a round, [`bars`] judges, [`report`] tells.

mod bars;
mod cli;
mod cores;
mod figures;
mod lab;
mod load;
mod measure;
mod memory;
mod noise;
mod options;
mod plain_pingora;
mod report;
mod run;
mod server;
mod shape;
mod spread;
mod subject;
mod upstream;
mod wire;
mod workload;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

fn main() -> Result<ExitCode> {
    match cli::Command::parse() {
        cli::Command::Proxy(options) => on_one_thread(run::proxy(&options)),
        cli::Command::Shape(options) => on_one_thread(shape::run(&options)),
        cli::Command::PlainPingora(ends) => match plain_pingora::run(&ends)? {},
        cli::Command::Upstream { listen } => match on_one_thread(upstream::serve(listen))? {},
    }
}

/// Runs a future on this thread, so that it stays on the core of this thread.
fn on_one_thread<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start an async runtime")?
        .block_on(future)
}
