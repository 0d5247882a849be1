//! `headworks bench`: users who ask a running gateway, any that speaks
//! `POST /v1/generate`, and what they saw: rates, latencies, first tokens, errors,
//! and whether that meets the targets.
//!
//! `args` is what is asked for, `ask` one request, `load` the users, `tally` what
//! came of it, `gpu` what a card says of its memory, `verdict` holds it against
//! the targets, `report` tells.

mod args;
mod ask;
mod gpu;
mod load;
mod report;
mod tally;
mod verdict;

use std::io::{self, Write as _};

use anyhow::{Context as _, Result, ensure};

pub use args::Args;

use ask::Asker;
use report::Report;

/// Runs the load, tells what came of it, and writes it down where that was asked
/// for. With `enforce` a missed target is an error.
pub fn run(args: &Args) -> Result<()> {
    let prompts = args.prompts()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(async {
        let asker = Asker::new(args)?;
        let starts = load::first_tokens(&asker, args, &prompts).await?;
        let (tally, elapsed) = load::run(&asker, args, &prompts).await;
        anyhow::Ok(Report::new(
            args,
            &tally,
            elapsed,
            starts,
            gpu::memory().await,
        ))
    })?;
    let mut out = io::stdout().lock();
    match writeln!(out, "{report}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    if let Some(file) = &args.json {
        let json = serde_json::to_vec_pretty(&report)?;
        std::fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    ensure!(
        !args.enforce || report.met(),
        "a target was missed, or nothing was answered"
    );
    Ok(())
}
