//! `cargo xtask bench`: builds what is measured, then hands over to the bench.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::workspace::{Binaries, Profile, Workspace};
use crate::{guests, process};

/// Runs the bench with these arguments.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<()> {
    guests::build(workspace, None)?;
    let binaries = Binaries::build(workspace, Profile::Release)?;
    let mut command = Command::new(&binaries.bench);
    command.args(args).current_dir(&workspace.root);
    let status = command.status()?;
    ensure!(
        status.success(),
        "`{}` failed ({status})",
        process::describe(&command)
    );
    Ok(())
}
