//! Python programs with the packages they pin, in an environment of their own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;
use crate::{process, ui};

/// A virtual environment below `target`.
pub(crate) struct Environment {
    folder: PathBuf,
    /// Programs run from here: the top of the repository.
    root: PathBuf,
}

impl Environment {
    /// Makes it, or takes the one that is there, and installs what is pinned.
    pub(crate) fn prepare(workspace: &Workspace, name: &str, requirements: &str) -> Result<Self> {
        let environment = Self {
            folder: workspace.target.join(name),
            root: workspace.root.clone(),
        };
        ui::step("python packages", |step| {
            if !environment.folder.join("bin/pip").exists() {
                let mut create = Command::new("python3");
                create
                    .args(["-m", "venv", "--clear"])
                    .arg(&environment.folder);
                process::run(step, create)
                    .context("cannot make a python environment; on Debian run `sudo apt-get install python3-venv`")?;
            }
            let mut install = environment.tool("pip");
            install.args(["install", "--quiet", "-r", requirements]);
            process::run(step, install)
        })?;
        Ok(environment)
    }

    /// A program of the environment.
    pub(crate) fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join("bin").join(name));
        command.current_dir(&self.root);
        command
    }
}
