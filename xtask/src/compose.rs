//! `cargo xtask compose`: whether `docker-compose.yml` is one, in both profiles.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use crate::{process, ui};

/// Has Compose read the file; nothing is built or started, and no engine is needed.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    for profile in ["gpu", "demo"] {
        let mut config = compose()?;
        config.args(["--profile", profile, "config", "--quiet"]);
        config.current_dir(&workspace.root);
        ui::step(&format!("profile {profile}"), |step| {
            process::run(step, config)
        })?;
    }
    Ok(())
}

/// Docker's plugin, or Debian's program.
fn compose() -> Result<Command> {
    let known: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
    for words in known {
        let mut version = command(words);
        version.arg("version");
        version.stdout(Stdio::null()).stderr(Stdio::null());
        if version.status().is_ok_and(|status| status.success()) {
            return Ok(command(words));
        }
    }
    bail!("no Docker Compose; on Debian run `sudo apt-get install docker-compose`")
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}
