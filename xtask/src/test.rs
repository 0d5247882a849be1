//! `cargo xtask test`: builds what tests need, runs them all, and ends with a
//! line that adds up what the runners said.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};

use crate::workspace::{Profile, Workspace};
use crate::{guests, process, ui};

/// How many tests passed and failed, as their runners said.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u32,
    failed: u32,
}

/// Runs the tests; `args` go to the runner, and leave doc tests out.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<Tally> {
    guests::build(workspace, None)?;
    statsd(workspace)?;
    // One call, so that programs and tests share every dependency they were built with.
    ui::step("build programs and tests", |step| {
        process::run(step, workspace.cargo(Profile::Dev.build()))
    })?;
    let mut tally = Tally::default();
    for command in runners(workspace, args) {
        tally.add(watch(command)?);
    }
    ensure!(
        tally.passed + tally.failed > 0,
        "no test ran; does `{}` name one?",
        args.join(" ")
    );
    Ok(tally)
}

/// The StatsD daemon that tests listen with, from npm.
const STATSD: &str = "statsd@0.9.0";

/// Installs the daemon, if it is not there.
fn statsd(workspace: &Workspace) -> Result<()> {
    let folder = workspace.target.join("statsd");
    if folder.join("node_modules/statsd/stats.js").exists() {
        return Ok(());
    }
    ui::step("statsd, from npm", |step| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--omit=optional", "--no-audit", "--no-fund"]);
        npm.arg("--prefix").arg(&folder).arg(STATSD);
        process::run(step, npm)
            .context("cannot install it; `npm` is needed, on Debian `sudo apt-get install npm`")
    })
}

/// What runs all tests: cargo-nextest, which leaves doc tests to cargo, or cargo alone.
fn runners(workspace: &Workspace, args: &[String]) -> Vec<Command> {
    if !has_nextest(workspace) {
        return vec![with(
            workspace.cargo(["test", "--workspace", "--no-fail-fast"]),
            args,
        )];
    }
    let mut commands = vec![with(
        workspace.cargo(["nextest", "run", "--workspace", "--no-fail-fast"]),
        args,
    )];
    if args.is_empty() {
        commands.push(workspace.cargo(["test", "--workspace", "--doc", "--no-fail-fast"]));
    }
    commands
}

impl Tally {
    /// Whether nothing failed.
    pub(crate) fn is_green(self) -> bool {
        self.failed == 0
    }

    /// Prints the sum; meant to be the last line of all.
    pub(crate) fn report(self) -> ExitCode {
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.is_green() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Reads a summary line of cargo-nextest or of the standard harness.
    fn read(line: &str) -> Option<Self> {
        let counts = if line.trim_start().starts_with("Summary [") {
            line.split_once(" run: ")?.1
        } else {
            // Indented it is what a test printed that cargo-nextest shows again.
            line.strip_prefix("test result: ")?.split_once(". ")?.1
        };
        let mut tally = Self::default();
        for part in counts.split([',', ';']) {
            let Some((count, what)) = part.trim().split_once(' ') else {
                continue;
            };
            let Ok(count) = count.parse::<u32>() else {
                continue;
            };
            if what.starts_with("passed") {
                tally.passed += count;
            } else if ["failed", "timed out", "exec failed"]
                .iter()
                .any(|bad| what.starts_with(bad))
            {
                tally.failed += count;
            }
        }
        Some(tally)
    }
}

/// Runs a test runner, shows what it prints and counts what it reports.
fn watch(mut command: Command) -> Result<Tally> {
    let name = process::describe(&command);
    let mut tally = Tally::default();
    // Colours would hide the summary from us.
    command.env("CARGO_TERM_COLOR", "never");
    let status = process::stream(command, |line| {
        println!("{line}");
        tally.add(Tally::read(line).unwrap_or_default());
    })?;
    ensure!(
        status.success() || !tally.is_green(),
        "`{name}` failed before it could run all tests ({status})"
    );
    Ok(tally)
}

fn has_nextest(workspace: &Workspace) -> bool {
    process::capture(workspace.cargo(["nextest", "--version"])).is_ok()
}

fn with(mut command: Command, args: &[String]) -> Command {
    command.args(args);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, passed: u32, failed: u32) {
        assert_eq!(Tally::read(line), Some(Tally { passed, failed }), "{line}");
    }

    #[test]
    fn summaries_of_both_runners_are_read() {
        check(
            "     Summary [   0.006s] 3 tests run: 3 passed, 0 skipped",
            3,
            0,
        );
        check(
            "     Summary [   9.1s] 7 tests run: 4 passed (1 slow), 2 failed, 1 timed out, 3 skipped",
            4,
            3,
        );
        check(
            "     Summary [   0.1s] 2/9 tests run: 1 passed, 1 exec failed, 0 skipped",
            1,
            1,
        );
        check(
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s",
            5,
            0,
        );
        check(
            "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
            5,
            2,
        );
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(Tally::read("test it::keeps_the_old_filter ... ok"), None);
        assert_eq!(Tally::read("running 3 tests"), None);
        let shown_again = "    test result: FAILED. 0 passed; 1 failed; 0 ignored";
        assert_eq!(Tally::read(shown_again), None);
    }
}
