//! The bench itself, run as people run it but with hardly any requests.

use std::process::{Command, Output};

use serde_json::Value;

fn bench(args: &[&str]) -> Output {
    let smallest = ["proxy", "--quick", "--rounds", "1", "--requests", "4000"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_headworks-bench"));
    command
        .args(smallest)
        .args(args)
        .output()
        .expect("the bench starts")
}

#[test]
fn a_run_tells_every_figure_and_enforces_bars_that_it_did_not_measure() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("figures.json");
    let json = file.to_str().expect("a path in UTF-8");
    let run = bench(&["--subjects", "direct,control", "--json", json, "--enforce"]);

    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{said}");
    let tables = String::from_utf8_lossy(&run.stdout);
    assert!(
        tables.contains("plain Pingora again") && tables.contains("not measured"),
        "{tables}"
    );

    let text = std::fs::read_to_string(&file).expect("the figures");
    let figures: Value = serde_json::from_str(&text).expect("JSON");
    let rows = figures["rows"].as_array().expect("rows");
    // Four workloads through three subjects; nothing has a ratio without a proxy.
    assert_eq!(rows.len(), 12);
    for row in rows {
        assert_eq!(row["ratio"].is_null(), row["subject"] == "direct", "{row}");
        assert!(row["p50"]["median"].as_f64() > Some(0.0), "{row}");
    }
}

#[test]
fn a_headworks_that_is_not_there_is_named() {
    let run = bench(&["--headworks", "/nowhere/headworks"]);
    assert_eq!(run.status.code(), Some(1));
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(
        said.contains("no Headworks at /nowhere/headworks"),
        "{said}"
    );
}

#[test]
fn a_headworks_that_ends_at_once_is_told_with_its_last_words() {
    let run = bench(&["--headworks", "/bin/false"]);
    assert_eq!(run.status.code(), Some(1));
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.contains("cannot run Headworks, 0 filters"), "{said}");
    assert!(said.contains("it ended at once (exit status: 1)"), "{said}");
}
