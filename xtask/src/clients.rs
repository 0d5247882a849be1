//! `cargo xtask clients`: the client libraries that people use, run against a
//! gateway and the model server behind it, once for each protocol of a pool.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::python::Environment;
use crate::stage::{Addresses, Cast, Protocol, Stage};
use crate::workspace::{Binaries, Workspace};
use crate::{process, ui};

/// Runs all clients against both kinds of pool; fails when one assertion fails.
pub(crate) fn run(workspace: &Workspace, binaries: &Binaries) -> Result<()> {
    let environment =
        Environment::prepare(workspace, "clients-venv", "tests/clients/requirements.txt")?;
    let mut failed = Vec::new();
    for protocol in [Protocol::Tgi, Protocol::OpenAi] {
        let cast = Cast::for_clients(protocol);
        let stage = Stage::start(workspace, binaries, &cast, Addresses::any()?)?;
        let name = format!("clients, {} pool", protocol.as_str());
        let tests = pytest(&environment, &stage, protocol);
        // The other pool is worth a look even if this one fails.
        if let Err(error) = ui::step(&name, |step| process::run(step, tests)) {
            eprintln!("{name}: {error:#}");
            failed.push(name);
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

fn pytest(environment: &Environment, stage: &Stage, protocol: Protocol) -> Command {
    let mut command = environment.tool("pytest");
    command.args(["tests/clients", "--quiet", "--tb=short"]);
    command.args(["--gateway", &stage.gateway]);
    command.args(["--upstream", &stage.upstreams[0]]);
    command.args(["--protocol", protocol.as_str()]);
    command
}
