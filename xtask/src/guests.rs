//! `cargo xtask guests`: filters and test guests, built to WebAssembly and laid
//! where the gateway's build and the tests look for them.

mod debian;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

pub(crate) use toolchain::Toolchain;

use crate::ui::Step;
use crate::workspace::{Guest, Workspace};
use crate::{process, ui};

/// The target that filters are built for: no WASI, no other system.
const TARGET: &str = "wasm32-unknown-unknown";
/// The cargo profile they are built with.
const PROFILE: &str = "guest";

/// Builds all of them, with the given toolchain or the first that can.
pub(crate) fn build(workspace: &Workspace, wanted: Option<Toolchain>) -> Result<()> {
    ui::step("guests", |step| {
        let toolchain = Toolchain::find(step, wanted)?;
        process::run(step, build_command(workspace, toolchain))?;
        publish(step, workspace)
    })
}

fn build_command(workspace: &Workspace, toolchain: Toolchain) -> Command {
    let mut command = toolchain.cargo_build(workspace);
    command
        .args(["--profile", PROFILE, "--target", TARGET, "--target-dir"])
        .arg(build_folder(workspace));
    for guest in &workspace.guests {
        command.args(["-p", &guest.package]);
    }
    command
}

/// Lays the modules out under their package's name. A file changes only when
/// its bytes do, since the gateway is rebuilt whenever one is newer.
fn publish(step: &Step, workspace: &Workspace) -> Result<()> {
    let built = build_folder(workspace).join(TARGET).join(PROFILE);
    let folder = workspace.root.join("target/guests");
    let mut changed = 0;
    for guest in &workspace.guests {
        changed += usize::from(copy_if_changed(
            &built.join(&guest.library).with_extension("wasm"),
            &folder.join(module_name(guest)),
        )?);
    }
    remove_strangers(&folder, &workspace.guests)?;
    step.note(&format!(
        "{} modules in target/guests, {changed} changed",
        workspace.guests.len()
    ));
    Ok(())
}

fn build_folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("target/guests/build")
}

fn module_name(guest: &Guest) -> String {
    format!("{}.wasm", guest.package.replace('-', "_"))
}

fn copy_if_changed(from: &Path, to: &Path) -> Result<bool> {
    let new = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(false);
    }
    // Renamed into place, so that whoever watches the file never reads half of it.
    let partial = to.with_extension("partial");
    fs::write(&partial, new).with_context(|| format!("cannot write {}", partial.display()))?;
    fs::rename(&partial, to).with_context(|| format!("cannot write {}", to.display()))?;
    Ok(true)
}

/// Removes modules of packages that are gone, lest a test still passes with one.
fn remove_strangers(folder: &Path, guests: &[Guest]) -> Result<()> {
    let wanted: Vec<String> = guests.iter().map(module_name).collect();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_module = path
            .extension()
            .is_some_and(|extension| extension == "wasm");
        if is_module && !wanted.iter().any(|name| path.ends_with(name)) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_with_the_same_bytes_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (
            folder.path().join("built.wasm"),
            folder.path().join("published.wasm"),
        );
        fs::write(&from, "one").unwrap();
        assert!(copy_if_changed(&from, &to).unwrap());
        let before = fs::metadata(&to).unwrap().modified().unwrap();
        assert!(!copy_if_changed(&from, &to).unwrap());
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), before);
        fs::write(&from, "two").unwrap();
        assert!(copy_if_changed(&from, &to).unwrap());
        assert_eq!(fs::read(&to).unwrap(), b"two");
    }

    #[test]
    fn modules_of_packages_that_are_gone_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["kept_one.wasm", "gone.wasm", "notes.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let kept = Guest {
            package: "kept-one".to_owned(),
            library: "kept_one".to_owned(),
            folder: PathBuf::from("filters"),
        };
        remove_strangers(folder.path(), &[kept]).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["kept_one.wasm", "notes.txt"]);
    }
}
