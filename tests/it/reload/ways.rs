//! Every way to change a file, and to ask for it to be read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use headworks_tests::{
    Guest, ModelServer, Setup, Signal, TestProxy, Told, guest_bytes, unlike, until,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::{ask, model_of};

struct Two {
    qwen: ModelServer,
    llama: ModelServer,
}

impl Two {
    fn models() -> Self {
        Self {
            qwen: ModelServer::named("qwen2"),
            llama: ModelServer::named("llama3"),
        }
    }

    /// A gateway whose default pool is `qwen2`.
    fn setup(&self) -> Setup {
        let setup = TestProxy::new().model(&self.qwen).model(&self.llama);
        setup.set("default_pool", "qwen2")
    }
}

async fn asked(proxy: &TestProxy) -> String {
    model_of(proxy.post("/generate", ask(2)).await).await
}

/// The configuration with the other default pool.
fn other(proxy: &TestProxy) -> String {
    let text = fs::read_to_string(proxy.config_file()).unwrap();
    let other = text.replace(r#"default_pool = "qwen2""#, r#"default_pool = "llama3""#);
    assert_ne!(text, other);
    other
}

#[tokio::test]
async fn a_file_that_is_written_over_is_applied() {
    let two = Two::models();
    let proxy = two.setup().start().await;
    assert_eq!(asked(&proxy).await, "qwen2");
    let text = other(&proxy);
    let live = proxy
        .becomes(|_| fs::write(proxy.config_file(), text).unwrap())
        .await;
    assert_eq!(live, Ok(2));
    assert_eq!(asked(&proxy).await, "llama3");
}

#[tokio::test]
async fn a_file_that_is_renamed_over_is_applied() {
    let two = Two::models();
    let mut proxy = two.setup().start().await;
    for (generation, model) in [(2, "llama3"), (3, "qwen2"), (4, "llama3")] {
        let live = proxy
            .rewrite_config(|config| config.change("default_pool", model))
            .await;
        assert_eq!(live, Ok(generation));
        assert_eq!(asked(&proxy).await, model);
    }
    proxy
        .wait_for_metric("headworks_reloads_total{result=\"applied\"}", 4.0)
        .await;
    proxy.wait_for_metric("headworks_generation", 4.0).await;
}

/// Lays files out as Kubernetes does: `file -> ..data/file`, `..data -> version`.
fn version(folder: &Path, version: &str, files: &[(&str, &[u8])]) {
    fs::create_dir(folder.join(version)).unwrap();
    for (name, bytes) in files {
        fs::write(folder.join(version).join(name), bytes).unwrap();
    }
    symlink(version, folder.join("..next")).unwrap();
    fs::rename(folder.join("..next"), folder.join("..data")).unwrap();
}

#[tokio::test]
async fn a_symlink_that_is_swapped_is_applied_as_kubernetes_swaps_it() {
    let two = Two::models();
    let folder = tempfile::tempdir().unwrap();
    version(
        folder.path(),
        "..one",
        &[("headworks.toml", b""), ("allow_all.wasm", b"")],
    );
    for file in ["headworks.toml", "allow_all.wasm"] {
        symlink(Path::new("..data").join(file), folder.path().join(file)).unwrap();
    }
    let setup = two.setup().filter(Guest::of("allow_all"));
    let proxy = setup.start_in(folder).await;
    let before = proxy.generation().await;
    assert_eq!(asked(&proxy).await, "qwen2");

    let module = unlike(&guest_bytes("allow_all"), 1);
    let text = other(&proxy);
    let files = [
        ("headworks.toml", text.as_bytes()),
        ("allow_all.wasm", &module),
    ];
    let live = proxy
        .becomes(|folder| version(folder, "..two", &files))
        .await;
    assert_eq!(live, Ok(2));
    assert_eq!(asked(&proxy).await, "llama3");
    let after = proxy.generation().await;
    assert_ne!(before.filters[0].digest, after.filters[0].digest);
}

#[tokio::test]
async fn a_module_that_is_replaced_is_applied() {
    let two = Two::models();
    let proxy = two.setup().filter(Guest::of("allow_all")).start().await;
    for number in 0..3 {
        let before = proxy.generation().await.filters.remove(0).digest;
        let bytes = unlike(&guest_bytes("allow_all"), number);
        proxy.replace_module("allow_all", &bytes).await.unwrap();
        assert_ne!(proxy.generation().await.filters[0].digest, before);
        assert_eq!(asked(&proxy).await, "qwen2");
    }
}

#[tokio::test]
async fn sighup_applies_what_is_there() {
    let two = Two::models();
    let proxy = two.setup().start().await;
    assert_eq!(proxy.becomes(|_| proxy.signal(Signal::SIGHUP)).await, Ok(2));
    assert_eq!(asked(&proxy).await, "qwen2");
}

#[tokio::test]
async fn an_operator_who_asks_for_a_reload_is_told_what_became_of_it() {
    let two = Two::models();
    let proxy = two.setup().start().await;
    let answer = proxy.admin_post("/reload").await;
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["id"], 2);

    proxy.write_config("pools = 3").await.unwrap_err();
    let answer = proxy.admin_post("/reload").await;
    assert_eq!(answer.status(), 422);
    let answer: Value = answer.json().await.unwrap();
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("headworks.toml: 1 problem"),
        "{answer}"
    );
    assert_eq!(asked(&proxy).await, "qwen2");
}

#[tokio::test]
async fn a_request_keeps_the_pool_that_it_started_with() {
    let (qwen, llama) = (
        ModelServer::paced("qwen2", 1.0),
        ModelServer::named("llama3"),
    );
    let setup = TestProxy::new().model(&qwen).model(&llama);
    let mut proxy = setup.set("default_pool", "qwen2").start().await;
    let mut stream = proxy.stream(400).await;
    let first = stream.chunk().await.unwrap().unwrap();
    let swapped = proxy
        .rewrite_config(|config| {
            *config = TestProxy::new()
                .model(&llama)
                .set("server.listen", proxy_listen(config, "server"))
                .set("admin.listen", proxy_listen(config, "admin"));
        })
        .await;
    assert_eq!(swapped, Ok(2));
    assert_eq!(asked(&proxy).await, "llama3");
    assert_eq!(qwen.stats().running, 1);
    let told = Told::by(stream).await;
    let first = first.iter().filter(|byte| **byte == b'\n').count() / 2;
    assert_eq!((told.payloads.len() + first, told.broke), (400, None));
}

fn proxy_listen(config: &Setup, table: &str) -> String {
    let text: toml::Table = config.text().parse().unwrap();
    text[table]["listen"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_that_needs_a_restart_is_named() {
    let two = Two::models();
    let mut proxy = two.setup().start().await;
    let changed = proxy.rewrite_config(|config| {
        config.change("server.threads", 3);
        config.change("server.max_body", "1KiB");
    });
    assert_eq!(changed.await, Ok(2));
    assert_eq!(proxy.generation().await.restart_needed, ["server.threads"]);
    let large = ask(1).to_string() + &" ".repeat(1 << 10);
    let answer = proxy
        .client()
        .post(proxy.url("/generate"))
        .body(large)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 413, "the rest of the change is live");
    proxy
        .rewrite_config(|config| config.change("server.threads", 0))
        .await
        .unwrap();
    assert!(proxy.generation().await.restart_needed.is_empty());
}

#[tokio::test]
async fn what_a_filter_stored_outlives_a_reload() {
    let two = Two::models();
    let mut proxy = two.setup().filter(Guest::of("remembers")).start().await;
    for pool in ["llama3", "qwen2"] {
        asked(&proxy).await;
        proxy
            .rewrite_config(|config| config.change("default_pool", pool))
            .await
            .unwrap();
    }
    asked(&proxy).await;
    proxy
        .wait_for_metric("headworks_test_calls_total{model=\"qwen2\"}", 2.0)
        .await;
}

#[tokio::test]
async fn the_last_of_many_quick_changes_is_what_stays() {
    let two = Two::models();
    let mut proxy = two.setup().filter(Guest::of("allow_all")).start().await;
    for round in 0..3 {
        for number in 0..40 {
            let model = if number % 2 == 0 { "qwen2" } else { "llama3" };
            let setup = proxy.setup().clone().set("default_pool", model);
            proxy.write(&setup);
            proxy.write_module("allow_all", &unlike(&guest_bytes("allow_all"), number));
        }
        let last = unlike(&guest_bytes("allow_all"), 1000 + round);
        proxy.write_module("allow_all", &last);
        let digest = hex(&Sha256::digest(&last));
        until("the last change is live", async || {
            let live = proxy.generation().await.filters.remove(0).digest;
            (live == digest && asked(&proxy).await == "llama3").then_some(())
        })
        .await;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_module_that_is_gone_changes_nothing_until_it_is_back() {
    let two = Two::models();
    let proxy = two.setup().filter(Guest::of("allow_all")).start().await;
    let file = proxy.folder().join("allow_all.wasm");
    let gone = proxy.becomes(|_| fs::remove_file(&file).unwrap()).await;
    assert!(gone.unwrap_err().contains("filters[0].module"));
    assert_eq!(asked(&proxy).await, "qwen2");
    proxy.replace_guest("allow_all", "allow_all").await.unwrap();
    assert_eq!(proxy.generation().await.last_error, None);
}

#[tokio::test]
async fn operators_who_ask_together_are_all_told() {
    let two = Two::models();
    let proxy = two.setup().start().await;
    let asked = (0..10).map(|_| async {
        let answer: Value = proxy.admin_post("/reload").await.json().await.unwrap();
        answer["id"].as_u64().unwrap()
    });
    let mut ids = futures::future::join_all(asked).await;
    ids.sort_unstable();
    assert_eq!(ids, (2..12).collect::<Vec<_>>());
}
