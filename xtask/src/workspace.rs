//! The repository as cargo sees it, and how cargo is called.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::{process, ui};

/// The repository.
pub(crate) struct Workspace {
    /// Its top folder.
    pub(crate) root: PathBuf,
    /// Where cargo builds for this machine.
    pub(crate) target: PathBuf,
    /// Packages that are built to WebAssembly.
    pub(crate) guests: Vec<Guest>,
}

/// A package that is built to WebAssembly: a filter, an example or a test's guest.
pub(crate) struct Guest {
    /// The package's name: `model-router`.
    pub(crate) package: String,
    /// The name of the library cargo makes of it: `model_router`.
    pub(crate) library: String,
    /// The folder it lives in, from the top: `filters/model-router`.
    pub(crate) folder: PathBuf,
}

/// How host programs are built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Dev,
    /// Quick to run.
    Release,
}

/// The programs that a stage and a bench run.
pub(crate) struct Binaries {
    /// `headworks`.
    pub(crate) gateway: PathBuf,
    /// `headworks-stub`.
    pub(crate) stub: PathBuf,
    /// `headworks-bench`.
    pub(crate) bench: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self> {
        let mut command = cargo(["metadata", "--no-deps", "--format-version", "1"]);
        // It may be called from any folder. Cargo says which checkout it runs for; where
        // this was built may be another one that has the same target folder.
        let this = std::env::var_os("CARGO_MANIFEST_DIR");
        command.current_dir(this.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()));
        let metadata: Metadata = serde_json::from_str(&process::capture(command)?)
            .context("cannot read what `cargo metadata` prints")?;
        let root = metadata.workspace_root;
        let guests = metadata
            .packages
            .iter()
            .filter_map(|package| package.guest(&root))
            .collect();
        Ok(Self {
            root,
            target: metadata.target_directory,
            guests,
        })
    }

    /// A call of the cargo we were called by, from the top.
    pub(crate) fn cargo<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = cargo(args);
        command.current_dir(&self.root);
        command
    }

    /// Files of the repository, from the top: tracked ones, and new ones that are not ignored.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut command = Command::new("git");
        command
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root);
        let listed = process::capture(command)?;
        // One that was deleted stays listed until the deletion is staged.
        Ok(listed
            .lines()
            .map(PathBuf::from)
            .filter(|path| self.root.join(path).is_file())
            .collect())
    }
}

impl Profile {
    /// What asks cargo for all programs. Tests are built with them for as long
    /// as nothing is measured: without, cargo resolves other features, and all
    /// dependencies are built once for programs and once for tests.
    pub(crate) fn build(self) -> [&'static str; 4] {
        match self {
            Self::Dev => ["build", "--workspace", "--bins", "--tests"],
            Self::Release => ["build", "--workspace", "--bins", "--release"],
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

impl Binaries {
    /// Builds them, with guests being there.
    pub(crate) fn build(workspace: &Workspace, profile: Profile) -> Result<Self> {
        let command = workspace.cargo(profile.build());
        ui::step("build gateway and stub", |step| process::run(step, command))?;
        Ok(Self::built(workspace, profile))
    }

    /// Where they are once built.
    pub(crate) fn built(workspace: &Workspace, profile: Profile) -> Self {
        let folder = workspace.target.join(profile.folder());
        Self {
            gateway: folder.join("headworks"),
            stub: folder.join("headworks-stub"),
            bench: folder.join("headworks-bench"),
        }
    }
}

fn cargo<const N: usize>(args: [&str; N]) -> Command {
    let mut command =
        Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.args(args);
    command
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

impl Package {
    /// A package that makes a C library is one for WebAssembly; nothing else here does.
    fn guest(&self, root: &Path) -> Option<Guest> {
        let library = self
            .targets
            .iter()
            .find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))?;
        let folder = self.manifest_path.parent()?.strip_prefix(root).ok()?;
        Some(Guest {
            package: self.name.clone(),
            library: library.name.clone(),
            folder: folder.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_examples_and_test_guests_are_guests_and_nothing_else_is() {
        let workspace = Workspace::load().unwrap();
        let known = ["filters", "examples", "tests/guests"];
        assert!(
            workspace
                .guests
                .iter()
                .all(|guest| known.iter().any(|top| guest.folder.starts_with(top)))
        );
        assert!(known.iter().all(|top| {
            workspace
                .guests
                .iter()
                .any(|guest| guest.folder.starts_with(top))
        }));
    }
}
