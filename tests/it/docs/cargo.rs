//! Calls of cargo: whether there is such a command, option, package and test.
//! Nothing is built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use headworks_tests::{program, root};
use serde_json::Value;

/// What a room's shell wrote down of its calls: a line each.
pub(super) fn check_calls(file: &Path) -> Result<(), String> {
    // There is none where cargo was not called.
    let calls = fs::read_to_string(file).unwrap_or_default();
    let mut calls = calls.lines().map(|line| line.split('\x1f').collect());
    calls.try_for_each(|words: Vec<_>| check(&words))
}

/// A call, without `cargo`.
pub(super) fn check(words: &[&str]) -> Result<(), String> {
    let parsed = match words {
        ["xtask", "bench", args @ ..] => {
            let args = args.strip_prefix(&["--"]).unwrap_or(args);
            parsed(&program("headworks-bench"), args)
        }
        ["xtask", args @ ..] => parsed(&program("xtask"), args),
        _ => parsed(&cargo(), words),
    };
    let checked = parsed.and_then(|()| names_exist(words));
    checked.map_err(|why| format!("`cargo {}`: {why}", words.join(" ")))
}

/// Whether a program takes these words: asked for help behind them, it first
/// says what is wrong with them.
pub(super) fn parsed(program: &Path, words: &[&str]) -> Result<(), String> {
    let end = words.iter().position(|word| *word == "--");
    let (ours, passed_on) = words.split_at(end.unwrap_or(words.len()));
    let mut command = Command::new(program);
    command.args(ours).arg("--help").args(passed_on);
    let ran = command.current_dir(root()).output().unwrap();
    if ran.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&ran.stderr).into_owned())
}

/// Whether packages, tests and benches have the names that are said.
fn names_exist(words: &[&str]) -> Result<(), String> {
    let options = ["-p", "--test", "--bench"];
    for pair in words.windows(2) {
        let is_placeholder = pair[1].starts_with('<');
        if !options.contains(&pair[0]) || is_placeholder {
            continue;
        }
        let known = names(pair[0]);
        if !known.iter().any(|name| name == pair[1]) {
            return Err(format!("there is no `{}`, but {known:?}", pair[1]));
        }
    }
    Ok(())
}

/// What may stand behind an option.
fn names(option: &str) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages = list(&PACKAGES);
    let found = if option == "-p" {
        packages
    } else {
        let kind = Value::from(option.trim_start_matches('-'));
        let targets = packages
            .iter()
            .flat_map(|package| list(&package["targets"]));
        let of_kind = targets.filter(|target| list(&target["kind"]).contains(&kind));
        of_kind.collect()
    };
    let names = found.iter().map(|thing| thing["name"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

/// The packages of the repository, as cargo tells of them.
static PACKAGES: LazyLock<Value> = LazyLock::new(|| {
    let mut command = Command::new(cargo());
    command.args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
    let ran = command.current_dir(root()).output().unwrap();
    let mut metadata: Value = serde_json::from_slice(&ran.stdout).unwrap();
    metadata["packages"].take()
});

/// The cargo that runs the tests.
pub(super) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}
