//! What other documents than docs/API.md show.

use std::fs;
use std::process::Command;

use headworks_tests::{ModelServer, TestProxy, program, root, run};
use serde_json::Value;

use super::super::cargo;
use super::block;

pub(super) const REFUSED_RELOAD: &str = "ERROR headworks::filter::reload: ";
pub(super) const FILTER: &str = "use headworks_sdk::prelude::*;\n";
pub(super) const SCRAPED: &str = "rule_files:\n";
pub(super) const SCRIPTS_REQUEST: &str = "{\n  \"model_id\"";
pub(super) const STUB_SESSION: &str = "$ cargo run -p headworks-stub -- ";
pub(super) const FAULTS: &str = "[\n  {\"kind\"";

#[test]
fn a_limit_of_nothing_in_the_demo_is_refused_as_the_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let demo = fs::read_to_string(root().join("config/demo.toml")).unwrap();
    let changed = demo.replace("limit = 1024", "limit = 0");
    let file = folder.path().join("demo.toml");
    fs::write(&file, changed).unwrap();
    let ran = run(["check".as_ref(), file.as_os_str()]);
    let folder = format!("{}/", folder.path().display());
    let said = ran.stderr.replace("error: ", "").replace(&folder, "");
    for readme in ["README.md", "README.zh-CN.md"] {
        let shown = block(readme, REFUSED_RELOAD).text;
        let (_, shown) = shown.split_once("the last one stays: ").unwrap();
        assert_eq!(said.trim(), shown.trim(), "{readme}");
    }
}

/// The source without its comments and tests.
#[test]
fn the_filter_of_the_readme_is_the_one_in_the_repository() {
    let source = fs::read_to_string(root().join("examples/tier-router/src/lib.rs")).unwrap();
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.map(|line| format!("{line}\n")).collect();
    let (code, _tests) = code.split_once("\n#[cfg(test)]").unwrap();
    for readme in ["README.md", "README.zh-CN.md"] {
        assert_eq!(block(readme, FILTER).text.trim(), code.trim(), "{readme}");
    }
}

#[test]
fn prometheus_takes_what_it_is_to_scrape() {
    let folder = root().join("monitoring/prometheus");
    let text = block("monitoring/README.md", SCRAPED).text;
    // Where the documentation puts the rules, so that they are read too.
    let rules = folder.join("rules/headworks.yml").display().to_string();
    let text = text.replace("rules/headworks.yml", &rules);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    let ran = Command::new("promtool")
        .args(["check", "config"])
        .arg(file.path())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{printed}");
    assert!(printed.contains("1 rule files found"), "{printed}");
}

#[tokio::test]
async fn what_the_scripts_send_is_taken() {
    let qwen = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&qwen).start().await;
    let body = block("scripts/README.md", SCRIPTS_REQUEST).text;
    let body: Value = serde_json::from_str(&body).unwrap();
    let answer = proxy.post("/v1/generate", body).await;
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert!(answer["generated_text"].is_string(), "{answer}");
}

#[tokio::test]
async fn the_stub_says_what_its_readme_shows() {
    let stub = ModelServer::named("qwen2");
    let session = block("stub/README.md", STUB_SESSION).text;
    let first = session.lines().next().unwrap();
    let args: Vec<_> = first[STUB_SESSION.len()..].split(' ').collect();
    cargo::parsed(&program("headworks-stub"), &args).unwrap();
    let (_, asked) = session.split_once("-d '").unwrap();
    let (body, shown) = asked.split_once("'\n").unwrap();
    let answer = post(&stub, "/generate", body).await;
    assert_eq!(answer.text().await.unwrap(), shown.trim());
}

#[tokio::test]
async fn the_stub_takes_the_faults_of_its_readme() {
    let stub = ModelServer::named("qwen2");
    let faults = block("stub/README.md", FAULTS).text;
    post(&stub, "/_fault", &faults).await;
}

async fn post(stub: &ModelServer, path: &str, body: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}{path}", stub.url()));
    let request = request.header("content-type", "application/json");
    let answer = request.body(body.to_owned()).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    answer
}
