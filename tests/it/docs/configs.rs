//! TOML of the documents: configurations, parts of them, and manifests of crates.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use headworks_tests::{guest_bytes, run};
use toml::{Table, Value};

use super::cargo;
use super::markdown::{Block, Document};

/// What a part of a configuration is put into.
const REST: &str = r#"
    default_pool = "qwen2"
    [pools]
    qwen2 = { protocol = "tgi", endpoints = ["http://127.0.0.1:8080"] }
    llama3 = { protocol = "tgi", endpoints = ["http://127.0.0.1:8081"] }
    big = { protocol = "tgi", endpoints = ["http://127.0.0.1:8082"] }
"#;

/// The TOML of a document, where no other test loads it.
pub(super) fn of(document: &Document) -> Vec<Block> {
    // Those are loaded by proxy/tests/builtins.rs.
    if document.file.starts_with("filters/") {
        return Vec::new();
    }
    let blocks = document.blocks().into_iter();
    blocks.filter(|block| block.language == "toml").collect()
}

/// Whether it is a part of a crate's manifest.
pub(super) fn is_manifest(block: &Block) -> bool {
    ["[package]", "[profile.release]"].contains(&block.first_line())
}

/// Has `headworks check` judge a configuration.
pub(super) fn check(block: &Block) -> Result<(), String> {
    let part: Table = block.text.parse().map_err(|why| format!("{why}"))?;
    let mut config: Table = REST.parse().unwrap();
    if part.contains_key("pools") {
        config.clear();
    }
    config.extend(part);
    let folder = tempfile::tempdir().unwrap();
    // Deep enough for modules that are further up.
    let home = folder.path().join("a/b");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("keys.toml"), "").unwrap();
    modules(&config).for_each(|module| lay(&home.join(module)));
    let file = home.join("headworks.toml");
    fs::write(&file, config.to_string()).unwrap();
    let ran = run(["check".as_ref(), file.as_os_str()]);
    match ran.code {
        Some(0) => Ok(()),
        _ => Err(ran.stderr),
    }
}

/// The files of filters.
fn modules(config: &Table) -> impl Iterator<Item = &str> {
    let filters = config.get("filters").and_then(Value::as_array);
    let modules = filters.into_iter().flatten();
    let modules = modules.filter_map(|filter| filter.get("module")?.as_str());
    modules.filter(|module| !module.starts_with("builtin:"))
}

/// Puts a guest where a configuration looks for it.
fn lay(path: &Path) {
    let guest = path.file_stem().unwrap().to_str().unwrap();
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    fs::create_dir_all(plain.parent().unwrap()).unwrap();
    fs::write(plain, guest_bytes(guest)).unwrap();
}

/// Has cargo read a manifest of these parts; what it does not know is an error.
pub(super) fn check_manifest(parts: &[&Block]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let text: String = parts.iter().map(|block| block.text.as_str()).collect();
    // Where that comes from is asked of the network.
    let sdk = "\nheadworks-sdk = \"0.1\"\n";
    assert!(text.contains(sdk), "{text}");
    fs::write(folder.path().join("Cargo.toml"), text.replace(sdk, "\n")).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/lib.rs"), "").unwrap();
    let mut command = Command::new(cargo::cargo());
    command.args(["check", "--offline", "--target-dir=target"]);
    let ran = command.current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    if ran.status.success() && !said.contains("warning: ") {
        return Ok(());
    }
    Err(said)
}
