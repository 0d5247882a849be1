//! Keys, budgets and the ledger: who may use how much, and what was used.

mod budgets;
mod identity;
mod ledger;
mod shared;
mod stop;

use std::path::{Path, PathBuf};

use headworks_tests::{Guest, Signal, TestProxy, run};
use serde_json::{Value, json};

/// The file of keys, in a folder.
fn keys_file(folder: &Path) -> PathBuf {
    folder.join("keys.toml")
}

/// Makes a key for a tenant.
fn new_key(file: &Path, tenant: &str, more: &[&str]) -> String {
    let file = file.to_str().unwrap();
    let made = run(["keys", "new", "--file", file, "--tenant", tenant]
        .iter()
        .chain(more));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    made.stdout.trim().to_owned()
}

/// `token-limits` with these budgets.
fn limits(budgets: &Value) -> Guest {
    Guest::builtin("token-limits").settings(json!({ "budgets": budgets }))
}

/// Tokens that a ledger has of all.
fn used(file: &Path) -> u64 {
    let rows = usage(file, &[]);
    let rows = rows.as_array().unwrap().iter();
    let tokens = |row: &Value| {
        row["input_tokens"].as_u64().unwrap() + row["output_tokens"].as_u64().unwrap()
    };
    rows.map(tokens).sum()
}

/// What `headworks usage` says of a ledger.
fn usage(file: &Path, more: &[&str]) -> Value {
    let file = file.to_str().unwrap();
    let told = run(["usage", "--file", file, "--format", "json"]
        .iter()
        .chain(more));
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    serde_json::from_str(&told.stdout).unwrap()
}

/// Stops a gateway as operators do.
async fn stop(proxy: &TestProxy) {
    proxy.signal(Signal::SIGTERM);
    assert!(proxy.ended().await.success());
}
