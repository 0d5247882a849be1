//! The configuration as its writer meets it: files that load, what is said of
//! those that do not, and the reference. `UPDATE_EXPECT=1` rewrites the texts.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::{expect, expect_file};
use headworks::config::{Config, Module, Problems, markdown, schema};
use proptest::prelude::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

fn toml_files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}

fn parse(text: &str) -> Result<Config, Problems> {
    Config::parse(text, Path::new("headworks.toml"))
}

#[test]
fn a_bad_file_gets_all_its_problems_at_once() {
    for path in toml_files("tests/data/config") {
        let text = fs::read_to_string(&path).unwrap();
        let name = Path::new("config").join(path.file_name().unwrap());
        let problems = Config::parse(&text, &name).unwrap_err();
        expect_file![path.with_extension("txt")].assert_eq(&format!("{problems}\n"));
    }
}

#[test]
fn every_file_we_ship_loads() {
    for path in toml_files("config") {
        Config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn the_full_file_shows_the_defaults() {
    let full = Config::load(&root().join("config/headworks.toml")).unwrap();
    let bare = parse(
        r#"
        [pools.qwen2]
        protocol = "tgi"
        endpoints = ["http://127.0.0.1:8080"]
        [[filters]]
        module = "builtin:model-router"
        "#,
    )
    .unwrap();
    assert_eq!(full.server, bare.server);
    assert_eq!(full.admin, bare.admin);
    assert_eq!(full.metrics, bare.metrics);
    assert_eq!(full.pools["qwen2"], bare.pools["qwen2"]);
    assert_eq!(full.filters[1], bare.filters[0]);
    assert_eq!(full.default_pool, bare.default_pool);
}

#[test]
fn the_full_file_names_every_key() {
    let text = fs::read_to_string(root().join("config/headworks.toml")).unwrap();
    let definitions = schema::json()["$defs"].as_object().unwrap().values();
    let tables = definitions
        .chain([schema::json()])
        .filter_map(|table| table["properties"].as_object());
    for key in tables.flat_map(|properties| properties.keys()) {
        let shown = [format!("{key} = "), format!("{key}]"), format!("[{key}.")];
        assert!(
            shown.iter().any(|form| text.contains(form)),
            "config/headworks.toml does not show `{key}`"
        );
    }
}

#[test]
fn the_reference_is_up_to_date() {
    expect_file![root().join("docs/CONFIG.md")].assert_eq(&markdown::render());
}

#[test]
fn the_only_pool_is_the_default_one() {
    let pool = r#"{ protocol = "tgi", endpoints = ["http://a"] }"#;
    let one = parse(&format!("pools.a = {pool}")).unwrap();
    assert_eq!(one.default_pool.as_deref(), Some("a"));
    let two = parse(&format!("pools.a = {pool}\npools.b = {pool}")).unwrap();
    assert_eq!(two.default_pool, None);
}

#[test]
fn endpoints_are_taken_apart() {
    let config = parse(
        r#"pools.a = { protocol = "openai", endpoints = ["https://[::1]/v1/", { url = "http://b:81", weight = 3 }, "http://c"] }"#,
    )
    .unwrap();
    let shown: Vec<_> = config.pools["a"]
        .endpoints
        .iter()
        .map(|e| {
            format!(
                "tls {} host {} port {} prefix {:?} weight {}",
                e.tls, e.host, e.port, e.prefix, e.weight
            )
        })
        .collect();
    expect![[r#"
        tls true host ::1 port 443 prefix "/v1" weight 1
        tls false host b port 81 prefix "" weight 3
        tls false host c port 80 prefix "" weight 1"#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn a_module_file_is_found_beside_the_configuration_and_names_its_filter() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tier_router.wasm"), "").unwrap();
    let text = r#"
        pools.a = { protocol = "tgi", endpoints = ["http://a"], timeouts.head = "1m 30s" }
        filters = [{ module = "tier_router.wasm", settings = { limit = 3, tiers = ["gold", 1.5, true] } }]
    "#;
    let config = Config::parse(text, &folder.path().join("headworks.toml")).unwrap();
    let filter = &config.filters[0];
    assert_eq!(&*filter.name, "tier_router");
    assert_eq!(
        filter.module,
        Module::File(folder.path().join("tier_router.wasm"))
    );
    assert_eq!(
        filter.settings,
        serde_json::json!({ "limit": 3, "tiers": ["gold", 1.5, true] })
    );
    assert_eq!(config.pools["a"].timeouts.head, Duration::from_secs(90));
    assert_eq!(config.other_files().count(), 1);
}

#[test]
fn a_problem_found_later_still_names_its_line() {
    let text = "pools.a = { protocol = \"tgi\", endpoints = [\"http://a\"] }\n\n[[filters]]\nmodule = \"builtin:telemetry\"\nsettings = { limit = 0 }";
    let mut problems = Problems::of(parse(text).unwrap().source);
    problems.push("filters[0].settings.limit", "must be greater than 0, got 0");
    problems.push("filters[0].settings.tiers[2]", "must not be empty");
    expect![[r#"
        headworks.toml: 2 problems
          filters[0].settings.limit     must be greater than 0, got 0 (line 5)
          filters[0].settings.tiers[2]  must not be empty (line 5)"#]]
    .assert_eq(&problems.into_result(()).unwrap_err().to_string());
}

#[test]
fn a_missing_file_says_so() {
    let problems = Config::load(Path::new("nowhere/headworks.toml")).unwrap_err();
    expect![[r#"
        nowhere/headworks.toml: 1 problem
          cannot be read: No such file or directory (os error 2)"#]]
    .assert_eq(&problems.to_string());
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_or_refused_at_a_place(at in 0.0..1.0, length in 0..40_usize, other in "\\PC{0,12}|[\\[\\]{}=\",. \n0-9a-z]{0,12}") {
        let text = include_str!("../../config/headworks.toml");
        let start = (at * text.len() as f64) as usize;
        let changed = [&text[..start], &other, &text[(start + length).min(text.len())..]].concat();
        if let Err(problems) = parse(&changed) {
            prop_assert!(problems.iter().all(|problem| !problem.path.is_empty()), "{problems}");
        }
    }
}
