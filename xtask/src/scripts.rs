//! `cargo xtask scripts`: the load scripts, run as their users run them, with
//! the pinned packages in an environment of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::stage::{Addresses, MODELS, Stage};
use crate::workspace::{Binaries, Workspace};
use crate::{process, ui};

/// Runs both scripts against a stage; fails when one request fails.
pub(crate) fn run(workspace: &Workspace, binaries: &Binaries) -> Result<()> {
    let environment = prepare(workspace)?;
    let stage = Stage::start(workspace, binaries, Addresses::any()?)?;
    let stress = stress_test(workspace, &environment, &stage);
    ui::step("scripts/stress_test.py", |step| process::run(step, stress))?;
    let load = load_test(workspace, &environment, &stage);
    ui::step("scripts/load_test.py", |step| process::run(step, load))
}

fn prepare(workspace: &Workspace) -> Result<PathBuf> {
    let environment = workspace.target.join("scripts-venv");
    ui::step("python packages", |step| {
        if !environment.join("bin/pip").exists() {
            let mut create = Command::new("python3");
            create.args(["-m", "venv", "--clear"]).arg(&environment);
            process::run(step, create)
                .context("cannot make a python environment; on Debian run `sudo apt-get install python3-venv`")?;
        }
        let mut install = tool(workspace, &environment, "pip");
        install.args(["install", "--quiet", "-r", "scripts/requirements.txt"]);
        process::run(step, install)
    })?;
    Ok(environment)
}

fn stress_test(workspace: &Workspace, environment: &Path, stage: &Stage) -> Command {
    let mut command = tool(workspace, environment, "python");
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

fn load_test(workspace: &Workspace, environment: &Path, stage: &Stage) -> Command {
    let mut command = tool(workspace, environment, "locust");
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

fn tool(workspace: &Workspace, environment: &Path, name: &str) -> Command {
    let mut command = Command::new(environment.join("bin").join(name));
    command.current_dir(&workspace.root);
    command
}
