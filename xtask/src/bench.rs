//! `cargo xtask bench`: builds what is measured, then hands over to the bench.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::python::Environment;
use crate::workspace::{Binaries, Profile, Workspace};
use crate::{guests, process, ui};

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
    match args.first().map(String::as_str) {
        Some("shape") if !args.iter().any(|arg| arg == "--help" || arg == "-h") => {
            plot(workspace, args)
        }
        _ => Ok(()),
    }
}

/// Draws what the bench of the load shaper wrote down.
fn plot(workspace: &Workspace, args: &[String]) -> Result<()> {
    let environment =
        Environment::prepare(workspace, "plots-venv", "scripts/requirements-plots.txt")?;
    let mut command = environment.tool("python");
    command.args(["scripts/plot_shape.py", results(args)]);
    ui::step("plots", |step| process::run(step, command))
}

/// The folder that the bench was told to write into, else its default.
fn results(args: &[String]) -> &str {
    let named = args.iter().find_map(|arg| arg.strip_prefix("--results="));
    let next = || {
        let place = args.iter().position(|arg| arg == "--results")?;
        args.get(place + 1).map(String::as_str)
    };
    named.or_else(next).unwrap_or("target/shape")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plots_go_where_the_results_are() {
        let of = |args: &[&str]| {
            let args: Vec<String> = args.iter().map(ToString::to_string).collect();
            results(&args).to_owned()
        };
        assert_eq!(of(&["shape", "--simulate"]), "target/shape");
        assert_eq!(of(&["shape", "--results", "there"]), "there");
        assert_eq!(of(&["shape", "--results=there", "--simulate"]), "there");
    }
}
