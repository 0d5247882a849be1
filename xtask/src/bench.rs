//! `cargo xtask bench`: builds what is measured, then hands over to the bench.

use anyhow::{Result, ensure};

use crate::workspace::{Binaries, Profile, Workspace};
use crate::{guests, process};

/// Runs the bench with these arguments.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<()> {
    guests::build(workspace, None)?;
    Binaries::build(workspace, Profile::Release)?;
    let mut command =
        workspace.cargo(["run", "--quiet", "--release", "-p", "headworks-bench", "--"]);
    command.args(args);
    let status = command.status()?;
    ensure!(
        status.success(),
        "`{}` failed ({status})",
        process::describe(&command)
    );
    Ok(())
}
