//! `cargo xtask ci`: all that a change must pass, one profile for everything,
//! with a table of what took how long.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::stage::{Addresses, Cast, Stage};
use crate::test::Tally;
use crate::ui::{self, heading, human};
use crate::workspace::{Binaries, Profile, Workspace};
use crate::{clients, compose, demo, guests, helm, process, scripts, test, tidy};

/// What was done, how long each took, and how the tests went.
#[derive(Default)]
struct Report {
    steps: Vec<Outcome>,
    tests: Option<Tally>,
}

struct Outcome {
    name: &'static str,
    took: Duration,
    passed: bool,
}

/// Does everything, up to the first step that fails.
pub(crate) fn run(workspace: &Workspace) -> ExitCode {
    let mut report = Report::default();
    let result = all(workspace, &mut report);
    report.print();
    if let Err(error) = &result {
        eprintln!("error: {error:#}");
    }
    // The last line tells how the tests went, whatever else happened.
    let tests = report.tests.map_or(ExitCode::FAILURE, Tally::report);
    if result.is_ok() {
        tests
    } else {
        ExitCode::FAILURE
    }
}

fn all(workspace: &Workspace, report: &mut Report) -> Result<()> {
    report.step("lock file", || tool("cargo metadata", locked(workspace)))?;
    report.step("format", || {
        tool("cargo fmt", workspace.cargo(["fmt", "--all", "--check"]))
    })?;
    report.step("guests", || guests::build(workspace, None))?;
    report.step("clippy", || tool("cargo clippy", clippy(workspace)))?;
    let mut tally = None;
    let tested = report.step("tests", || {
        let all_green = tally.insert(test::run(workspace, &[])?).is_green();
        ensure!(all_green, "tests failed");
        Ok(())
    });
    report.tests = tally;
    tested?;
    report.step("docs", || tool("cargo doc", docs(workspace)))?;
    report.step("tidy", || tidy::run(workspace))?;
    // The tests built them already.
    let binaries = Binaries::built(workspace, Profile::Dev);
    report.step("demo", || {
        let stage = Stage::start(workspace, &binaries, &Cast::DEMO, Addresses::any()?);
        demo::show(&mut stage?)
    })?;
    report.step("scripts", || scripts::run(workspace, &binaries))?;
    report.step("clients", || clients::run(workspace, &binaries))?;
    report.step("helm", || helm::run(workspace, &binaries))?;
    report.step("compose", || compose::run(workspace))
}

fn tool(name: &str, command: Command) -> Result<()> {
    ui::step(name, |step| process::run(step, command))
}

/// Fails when the lock file does not fit the manifests.
fn locked(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo(["tree", "--locked", "--workspace", "--depth", "0"]);
    command.env("CARGO_TERM_COLOR", "never");
    command
}

fn clippy(workspace: &Workspace) -> Command {
    workspace.cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])
}

fn docs(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo(["doc", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

impl Report {
    fn step<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        heading(name);
        let started = Instant::now();
        let result = work();
        self.steps.push(Outcome {
            name,
            took: started.elapsed(),
            passed: result.is_ok(),
        });
        result
    }

    fn print(&self) {
        heading("what took how long");
        for step in &self.steps {
            println!(
                "{:<12}{:>14}{}",
                step.name,
                human(step.took),
                if step.passed { "" } else { "  failed" }
            );
        }
        println!(
            "{:<12}{:>14}",
            "all",
            human(self.steps.iter().map(|step| step.took).sum())
        );
    }
}
