//! Debian's toolchain for the web. It brings the source of the standard
//! library but not its build for our target, so cargo builds that too.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::TARGET;
use crate::process;
use crate::ui::Step;

const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];

/// What rustup, `cargo run` and people's habits leave in the environment that
/// would send Debian's cargo to another compiler, wrapper, linker or flag.
const FOREIGN: [&str; 13] = [
    "CARGO",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "LD_LIBRARY_PATH",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
    "RUST_RECURSION_COUNT",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_RUSTC",
];

/// Whether all packages are there.
pub(super) fn is_installed() -> bool {
    let mut query = Command::new("dpkg-query");
    query
        .args(["--show", "--showformat", "${db:Status-Status}\n"])
        .args(PACKAGES);
    process::capture(query).is_ok_and(|states| states.lines().all(|state| state == "installed"))
}

/// Installs the packages when root, else says what to run.
pub(super) fn install(step: &Step) -> Result<()> {
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("nothing here builds for {TARGET}; run `rustup target add {TARGET}`");
    }
    if !is_root() {
        bail!(
            "nothing here builds for {TARGET}; run `rustup target add {TARGET}` or `sudo apt-get install {}`",
            PACKAGES.join(" ")
        );
    }
    step.note(&format!("installing {}", PACKAGES.join(", ")));
    let mut install = apt_get(&["install", "--yes", "--no-install-recommends"]);
    install.args(PACKAGES);
    process::run(step, apt_get(&["update"]))
        .and_then(|()| process::run(step, install))
        .with_context(|| {
            format!("cannot install Debian's toolchain; run `rustup target add {TARGET}`")
        })
}

/// `cargo build` with Debian's cargo and rustc alone.
pub(super) fn cargo_build(root: &Path) -> Command {
    let mut command = Command::new("/usr/bin/cargo");
    command
        .args(["build", "-Zbuild-std=std,panic_abort"])
        .current_dir(root);
    for name in FOREIGN {
        command.env_remove(name);
    }
    command
        .env("RUSTC", "/usr/bin/rustc")
        // Debian's compiler is a stable one; building the standard library needs this.
        .env("RUSTC_BOOTSTRAP", "1")
        // Empty means none, even when a configuration file names one.
        .env("RUSTC_WRAPPER", "")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19");
    command
}

fn apt_get(args: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    command
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_toolchain_left_in_the_environment_is_dropped() {
        let command = cargo_build(Path::new("."));
        let value = |name: &str| {
            let found = command.get_envs().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.map(|value| value.to_string_lossy().into_owned()))
        };
        assert_eq!(value("RUSTUP_TOOLCHAIN"), Some(None));
        assert_eq!(value("RUSTFLAGS"), Some(None));
        assert_eq!(value("RUSTC_WRAPPER"), Some(Some(String::new())));
        assert_eq!(value("RUSTC"), Some(Some("/usr/bin/rustc".to_owned())));
    }
}
