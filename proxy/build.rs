//! Embeds the built-in filters: writes the table that `filter::builtin` includes.
//! `cargo xtask guests` builds the modules that it names.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// As `builtin:` names them; `config::BUILTINS` says so too, and a test compares.
const FILTERS: [&str; 4] = ["model-router", "token-limits", "load-shaper", "telemetry"];

fn main() -> ExitCode {
    println!("cargo::rerun-if-env-changed=HEADWORKS_GUESTS");
    println!("cargo::rerun-if-changed=build.rs");
    match embed(&guests()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={problem}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of built modules.
fn guests() -> PathBuf {
    if let Some(folder) = env::var_os("HEADWORKS_GUESTS") {
        return folder.into();
    }
    let package = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    Path::new(&package).join("../target/guests")
}

fn embed(guests: &Path) -> Result<(), String> {
    let mut table = String::from("&[\n");
    for name in FILTERS {
        let module = guests.join(format!("{}.wasm", name.replace('-', "_")));
        println!("cargo::rerun-if-changed={}", module.display());
        let module = module.canonicalize().map_err(|error| {
            let module = module.display();
            format!("the built-in filter {module} cannot be read ({error}); run `cargo xtask guests` first")
        })?;
        writeln!(table, "    ({name:?}, include_bytes!({module:?})),").expect("a string takes all");
    }
    table.push(']');
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("builtin_filters.rs"), table)
        .map_err(|error| format!("the table of built-in filters cannot be written: {error}"))
}
