//! Which compiler builds guests, and how it is called.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::{TARGET, debian};
use crate::process;
use crate::ui::Step;
use crate::workspace::Workspace;

/// A network that drops packets keeps rustup for minutes; Debian is next in line.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

/// A compiler that can build for [`TARGET`].
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Toolchain {
    /// The one that builds everything else, with rustup's standard library for the target
    Rustup,
    /// Debian's, which builds the standard library from its source package
    Debian,
}

impl Toolchain {
    /// The wanted one, or the first that can; makes it usable if need be.
    pub(super) fn find(step: &Step, wanted: Option<Self>) -> Result<Self> {
        let Some(toolchain) = wanted else {
            return Self::first(step);
        };
        match toolchain {
            Self::Rustup if !has_target()? => add_target(step)?,
            Self::Debian if !debian::is_installed() => debian::install(step)?,
            Self::Rustup | Self::Debian => {}
        }
        Ok(toolchain)
    }

    fn first(step: &Step) -> Result<Self> {
        if has_target()? {
            return Ok(Self::Rustup);
        }
        if debian::is_installed() {
            return Ok(Self::Debian);
        }
        match add_target(step) {
            Ok(()) => Ok(Self::Rustup),
            Err(error) => {
                step.note(&format!("{error:#}; trying Debian's toolchain"));
                debian::install(step)?;
                Ok(Self::Debian)
            }
        }
    }

    /// `cargo build` as this toolchain wants it.
    pub(super) fn cargo_build(self, workspace: &Workspace) -> Command {
        match self {
            Self::Rustup => workspace.cargo(["build"]),
            Self::Debian => debian::cargo_build(&workspace.root),
        }
    }
}

/// Whether our own compiler has a standard library for the target.
fn has_target() -> Result<bool> {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir", "--target", TARGET]);
    Ok(Path::new(process::capture(command)?.trim()).exists())
}

fn add_target(step: &Step) -> Result<()> {
    step.note("adding the target by rustup");
    let mut command = Command::new("rustup");
    command.args(["target", "add", TARGET]);
    let name = process::describe(&command);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run `{name}`"))?;
    if process::wait_for(RUSTUP_LIMIT, || Ok(child.try_wait()?))?.is_none() {
        child.kill()?;
        child.wait()?;
        bail!("`{name}` is not done after {RUSTUP_LIMIT:?}");
    }
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said
        .lines()
        .find(|line| line.starts_with("error"))
        .unwrap_or("it gave no reason");
    ensure!(
        output.status.success(),
        "`{name}` failed: {}",
        reason.trim_start_matches("error: ")
    );
    Ok(())
}
