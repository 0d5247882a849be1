//! The gateway as a program: where it is built, and running it to its end.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How a program that was run to its end went.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// Runs the gateway's program to its end.
///
/// # Panics
/// When it is not built.
pub fn run(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
    let output = clean(&mut Command::new(gateway())).args(args).output();
    let output = output.expect("the gateway's program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("programs print UTF-8");
    Ran {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Takes what a developer has set for a gateway of their own out of the
/// environment, and lets tests share compiled filters.
pub fn clean(command: &mut Command) -> &mut Command {
    command
        .env("XDG_CACHE_HOME", built().join("tmp/test-cache"))
        .env_remove("HEADWORKS_CONFIG")
        .env_remove("HEADWORKS_LOG_FORMAT")
        .env_remove("HEADWORKS_LOG_LEVEL")
}

/// The gateway's program, beside the tests that cargo built, or the one that
/// the environment variable `HEADWORKS_PROGRAM` names.
///
/// # Panics
/// When it is not built.
pub fn gateway() -> PathBuf {
    let named = std::env::var_os("HEADWORKS_PROGRAM").map(PathBuf::from);
    named.unwrap_or_else(|| program("headworks"))
}

/// Another program of the repository, beside the tests that cargo built.
///
/// # Panics
/// When it is not built.
pub fn program(name: &str) -> PathBuf {
    let program = profile().join(name);
    assert!(
        program.is_file(),
        "{} is not there; run `cargo xtask test`, or `cargo build --workspace --bins` before",
        program.display()
    );
    program
}

/// The top of the repository.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package is in the repository")
}

/// Cargo's folder for everything built.
pub(crate) fn built() -> PathBuf {
    let built = profile().parent().map(Path::to_owned);
    built.expect("a profile's folder is in the folder of what is built")
}

/// Cargo's folder for the profile that tests were built with.
fn profile() -> PathBuf {
    let test = std::env::current_exe().expect("a running program knows where it is");
    // Tests are in `deps`; doc tests are elsewhere, and start nothing.
    let profile = test.ancestors().nth(2).map(Path::to_owned);
    profile.expect("a test is in a folder of cargo's")
}
