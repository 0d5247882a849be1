//! What cannot be loaded changes nothing, and says where and why.

use std::fs;

use expect_test::expect_file;
use headworks_tests::{Guest, ModelServer, Setup, TestProxy, guest_bytes};
use serde_json::json;

use crate::traffic::Traffic;

/// What is wrong with a configuration: how it came to be, and its text.
type Broken<'a> = (&'a str, Box<dyn Fn(&Setup) -> Vec<u8>>);

/// A configuration that differs from a good one by one value.
fn value<'a>(path: &'static str, value: impl serde::Serialize + Clone + 'static) -> Broken<'a> {
    let text = move |good: &Setup| {
        let broken = good.clone().set(path, value.clone());
        broken.text().into_bytes()
    };
    (path, Box::new(text))
}

/// A configuration that is another text.
fn text<'a>(what: &'a str, change: impl Fn(&str) -> String + 'static) -> Broken<'a> {
    (
        what,
        Box::new(move |good| change(&good.text()).into_bytes()),
    )
}

fn configurations() -> Vec<Broken<'static>> {
    vec![
        text("an empty file", |_| String::new()),
        text("half a file", |good| good[..good.len() / 2].to_owned()),
        text("no TOML", |good| format!("{good}\n[pools\n")),
        text("a key twice", |good| {
            format!("default_pool = \"qwen2\"\n{good}")
        }),
        ("no text", Box::new(|_| b"\xff\xfe".to_vec())),
        value("sever.listen", "127.0.0.1:80"),
        value("pools.qwen2.endpoint", "http://127.0.0.1:1"),
        value("pools.qwen2.endpoints", Vec::<String>::new()),
        value("pools.qwen2.endpoints", ["ftp://127.0.0.1"]),
        value("pools.qwen2.endpoints", "http://127.0.0.1:1"),
        value("pools.qwen2.protocol", "grpc"),
        value("pools.qwen2.timeouts.head", "soon"),
        value("pools.qwen2.queue.depth", -1),
        value("default_pool", "qwen"),
        value("server.listen", "localhost"),
        value("server.max_body", "plenty"),
        value("metrics.statsd", "127.0.0.1"),
        value("filters.0.module", "missing.wasm"),
        value("filters.0.module", "builtin:model-ruoter"),
        value("filters.0.on_error", "ignore"),
        value("filters.0.grants", ["everything"]),
        value("filters.0.name", "router"),
        value("filters.0.settings.limit", 3),
        value("filters.1.settings.models.gpt.pool", "gpt"),
        value("filters.1.settings.unknwon", "pass"),
    ]
}

fn chain(model: &ModelServer) -> Setup {
    let router = Guest::builtin("model-router").set("name", "router");
    let settings = json!({"unknown": "pass", "models": {"qwen2": {"pool": "qwen2"}}});
    TestProxy::to(model)
        .set("default_pool", "qwen2")
        .filter(Guest::of("allow_all"))
        .filter(router.settings(settings))
}

/// Without what differs from run to run, or with the compiler of guests.
fn told(proxy: &TestProxy, message: &str) -> String {
    let folder = format!("{}/", proxy.folder().display());
    assert!(
        message.contains(&folder),
        "it does not name the file: {message}"
    );
    without_sizes(&message.replace(&folder, ""))
}

/// Replaces numbers of four digits and more by an `N`.
fn without_sizes(text: &str) -> String {
    let (mut out, mut digits) = (String::new(), String::new());
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        out += if digits.len() < 4 { &digits } else { "N" };
        digits.clear();
        out.push(c);
    }
    out.trim_end_matches('\0').to_owned()
}

#[tokio::test]
async fn a_broken_configuration_is_never_applied_and_says_where_and_why() {
    let qwen = ModelServer::named("qwen2");
    let proxy = chain(&qwen).start().await;
    let before = proxy.generation().await;
    let traffic = Traffic::requests(&proxy, 4);
    let (mut said, broken) = (String::new(), configurations());
    for (what, text) in &broken {
        let message = proxy.write_config(text(proxy.setup())).await;
        let message = message.expect_err(what);
        said += &format!("# {what}\n{}\n", told(&proxy, &message));
        traffic.answers(5).await;
    }
    assert_eq!(proxy.metric("headworks_reload_refused").await, 1.0);
    let after = proxy.generation().await;
    assert_eq!(after.id, before.id);
    // What is right again is live again, and nothing is left to complain of.
    proxy.write_config(proxy.setup().text()).await.unwrap();
    assert_eq!(proxy.generation().await.last_error, None);
    assert_eq!(proxy.metric("headworks_reload_refused").await, 0.0);
    traffic.stop().await.assert_untouched();
    let refused = "headworks_reloads_total{result=\"refused\"}";
    assert_eq!(proxy.metric(refused).await, broken.len() as f64);
    expect_file!["../../data/reload/configurations.txt"].assert_eq(&said);
}

#[tokio::test]
async fn a_configuration_that_is_gone_changes_nothing_until_it_is_back() {
    let qwen = ModelServer::named("qwen2");
    let proxy = chain(&qwen).start().await;
    let traffic = Traffic::requests(&proxy, 2);
    let gone = proxy
        .becomes(|_| fs::remove_file(proxy.config_file()).unwrap())
        .await;
    assert!(told(&proxy, &gone.unwrap_err()).contains("No such file"));
    traffic.answers(5).await;
    let text = proxy.setup().clone().set("server.keepalive", "61s").text();
    assert_eq!(
        proxy
            .becomes(|_| fs::write(proxy.config_file(), text).unwrap())
            .await,
        Ok(2)
    );
    traffic.stop().await.assert_untouched();
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// A component that exports what a filter does and holds this in its module.
fn starting(fields: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component
            (core module $module (func (export "hook")) {fields})
            (core instance $core (instantiate $module))
            (func $hook (canon lift (core func $core "hook")))
            (instance $hooks
                (export "configure" (func $hook))
                (export "on-request" (func $hook))
                (export "place" (func $hook))
                (export "on-complete" (func $hook)))
            (export "headworks:filter/hooks@0.1.0" (instance $hooks)))"#
    ))
}

fn modules() -> Vec<(&'static str, Vec<u8>)> {
    let good = guest_bytes("allow_all");
    let guest = |name| (name, guest_bytes(name));
    vec![
        ("half of it", good[..good.len() / 2].to_vec()),
        ("nothing", Vec::new()),
        ("text", b"#!/bin/sh\n".to_vec()),
        ("a program", b"\x7fELF\x02\x01\x01\0 and so on".to_vec()),
        ("another version", b"\0asm\x63\0\0\0".to_vec()),
        ("no filter", b"\0asm\x01\0\0\0".to_vec()),
        (
            "another world",
            wat(r#"(component (import "acme:log/log" (instance)))"#),
        ),
        (
            "wants WASI",
            wat(r#"(component (import "wasi:cli/environment@0.2.0" (instance)))"#),
        ),
        ("too large", vec![0; (16 << 20) + 1]),
        guest("traps_in_configure"),
        guest("loops_in_configure"),
        guest("hoards_in_configure"),
        guest("refuses_settings"),
        guest("tier_router"),
        (
            "traps at start",
            starting("(func $start unreachable) (start $start)"),
        ),
        ("hoards at start", starting("(memory 1000)")),
    ]
}

#[tokio::test]
async fn a_broken_module_is_never_applied_and_says_where_and_why() {
    let qwen = ModelServer::named("qwen2");
    let proxy = chain(&qwen).start().await;
    let before = proxy.generation().await;
    let traffic = Traffic::requests(&proxy, 4);
    let mut said = String::new();
    for (what, bytes) in modules() {
        let message = proxy.replace_module("allow_all", &bytes).await;
        said += &format!("# {what}\n{}\n", told(&proxy, &message.expect_err(what)));
        traffic.answers(5).await;
    }
    assert_eq!(proxy.generation().await.id, before.id);
    proxy.replace_guest("allow_all", "allow_all").await.unwrap();
    traffic.stop().await.assert_untouched();
    expect_file!["../../data/reload/modules.txt"].assert_eq(&said);
}

#[tokio::test]
async fn a_module_that_is_written_in_two_halves_is_applied_when_it_is_whole() {
    let qwen = ModelServer::named("qwen2");
    let proxy = chain(&qwen).start().await;
    let traffic = Traffic::requests(&proxy, 2);
    let file = proxy.folder().join("allow_all.wasm");
    let bytes = headworks_tests::unlike(&guest_bytes("allow_all"), 1);
    let half = proxy
        .becomes(|_| fs::write(&file, &bytes[..bytes.len() / 2]).unwrap())
        .await;
    assert!(half.unwrap_err().contains("half written"));
    assert_eq!(
        proxy.becomes(|_| fs::write(&file, &bytes).unwrap()).await,
        Ok(2)
    );
    traffic.stop().await.assert_untouched();
}

#[tokio::test]
async fn a_gateway_does_not_start_with_a_broken_configuration() {
    let qwen = ModelServer::named("qwen2");
    let ran = chain(&qwen).set("default_pool", "qwen").run();
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("no pool `qwen`; did you mean `qwen2`?"),
        "{}",
        ran.stderr
    );
}
