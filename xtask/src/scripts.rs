//! `cargo xtask scripts`: the load scripts, run as their users run them.

use std::process::Command;

use anyhow::Result;

use crate::python::Environment;
use crate::stage::{Addresses, Cast, MODELS, Stage};
use crate::workspace::{Binaries, Workspace};
use crate::{process, ui};

/// Runs both scripts against a stage; fails when one request fails.
pub(crate) fn run(workspace: &Workspace, binaries: &Binaries) -> Result<()> {
    let environment = Environment::prepare(workspace, "scripts-venv", "scripts/requirements.txt")?;
    let stage = Stage::start(workspace, binaries, &Cast::DEMO, Addresses::any()?)?;
    let stress = stress_test(&environment, &stage);
    ui::step("scripts/stress_test.py", |step| process::run(step, stress))?;
    let load = load_test(&environment, &stage);
    ui::step("scripts/load_test.py", |step| process::run(step, load))
}

fn stress_test(environment: &Environment, stage: &Stage) -> Command {
    let mut command = environment.tool("python");
    command.args([
        "scripts/stress_test.py",
        "--requests",
        "20",
        "--concurrency",
        "20",
    ]);
    command.args([
        "--models",
        &MODELS.join(","),
        "--url",
        &format!("{}/v1/generate", stage.gateway),
    ]);
    command
}

fn load_test(environment: &Environment, stage: &Stage) -> Command {
    let mut command = environment.tool("locust");
    command.args(["-f", "scripts/load_test.py", "--headless", "--only-summary"]);
    command.args([
        "-u",
        "20",
        "-r",
        "20",
        "-t",
        "10s",
        "--host",
        &stage.gateway,
    ]);
    command
}
