//! The table of faults: what goes wrong at a model server, what the client sees
//! of it, and which counter moves.

mod table;

use std::time::Duration;

use headworks_tests::{FaultKind, Guest, ModelServer, Port, Scripted, TestProxy, Told};
use serde_json::{Value, json};

use crate::support::{ask, unified};
use table::Call::{Chat, ChatStream, Stream, Unified, Whole};
use table::Fault::{Closes, Hangs, Model, Refused, Resets, Trickles};
use table::Sees::{Answer, BrokenStream, ErrorLast, Events, Half};
use table::{Call, Fault, NO_CODE, SSE, Sees, sse, table};

/// What answers a row; dropped, it does so no more.
enum Upstream {
    Nobody(Port),
    Scripted(Scripted),
    Model(ModelServer),
}

impl Upstream {
    async fn of(fault: &Fault) -> Self {
        match fault {
            Refused => Self::Nobody(Port::free()),
            &Closes(answer) => Self::scripted(answer, Ending::Close).await,
            &Hangs(answer) => Self::scripted(answer, Ending::Hang).await,
            &Trickles(answer) => Self::scripted(answer, Ending::Trickle).await,
            Resets => Self::scripted(b"", Ending::Reset).await,
            Model(fault) => {
                let model = ModelServer::named("m");
                model.inject(*fault);
                Self::Model(model)
            }
        }
    }

    async fn scripted(answer: &'static [u8], ending: Ending) -> Self {
        let server = Scripted::start(move |_, mut wire| async move {
            wire.message().await;
            match ending {
                Ending::Trickle => {
                    for byte in answer.chunks(1) {
                        wire.send(byte).await;
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    return;
                }
                Ending::Reset => return wire.reset(),
                Ending::Hang | Ending::Close => wire.send(answer).await,
            }
            if let Ending::Hang = ending {
                wire.rest().await;
            }
        });
        Self::Scripted(server.await)
    }

    fn url(&self) -> String {
        match self {
            Self::Nobody(port) => format!("http://{}", port.address()),
            Self::Scripted(server) => server.url(),
            Self::Model(model) => model.url(),
        }
    }
}

#[derive(Clone, Copy)]
enum Ending {
    Close,
    Hang,
    Reset,
    Trickle,
}

impl Call {
    fn streams(self) -> bool {
        matches!(self, Stream | ChatStream)
    }

    fn request(self, model: &str) -> (&'static str, Value) {
        let messages = json!([{"role": "user", "content": "What is a river?"}]);
        let chat = json!({"model": model, "messages": messages, "max_tokens": 8, "stream": self.streams()});
        match self {
            Unified => {
                let mut body = ask(8);
                body["model_id"] = model.into();
                ("/v1/generate", body)
            }
            Whole => ("/generate", ask(8)),
            Stream => ("/generate_stream", ask(8)),
            Chat | ChatStream => ("/v1/chat/completions", chat),
        }
    }
}

/// The code of an error in either dialect.
fn code(body: &Value) -> Option<&str> {
    body["error_type"]
        .as_str()
        .or_else(|| body["error"]["code"].as_str())
}

#[tokio::test]
async fn every_fault_is_told_as_what_it_is_and_counted() {
    let mut rows = Vec::new();
    let mut setup = TestProxy::new().filter(Guest::builtin("model-router"));
    for row in table() {
        let upstream = Upstream::of(&row.1).await;
        let timeouts = format!("pools.{}.timeouts", row.0);
        setup = setup.pool(row.0, [upstream.url()]).unwatched(row.0);
        for key in ["head", "first_token", "idle"] {
            setup = setup.set(&format!("{timeouts}.{key}"), "400ms");
        }
        rows.push((row, upstream));
    }
    let proxy = setup.start().await;
    for ((name, _, call, sees, kind), _upstream) in &rows {
        let (path, body) = call.request(name);
        let request = proxy.request(path, &body).header("x-model-id", *name);
        let answer = request.header("x-sim-out", 8).send().await;
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        check(name, answer, sees).await;
        let counted: f64 = counts(&proxy, name, kind).await;
        assert_eq!(
            counted,
            f64::from(u8::from(!kind.is_empty())),
            "{name}: failures counted"
        );
    }
}

async fn check(name: &str, answer: reqwest::Response, sees: &Sees) {
    let status = answer.status().as_u16();
    match sees {
        Answer(expected, code_) => {
            let text = answer
                .text()
                .await
                .unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_eq!(status, *expected, "{name}: {text}");
            if status >= 400 && *code_ != NO_CODE {
                let body: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(code(&body), Some(*code_), "{name}: {text}");
            }
        }
        Half(expected) => {
            assert_eq!(status, *expected, "{name}");
            assert!(answer.text().await.is_err(), "{name}: a false end");
        }
        BrokenStream(events, code_) => {
            let told = Told::by(answer).await;
            assert!(told.broke.is_some(), "{name}: a false end");
            let error = error_at_end(name, &told);
            assert_eq!(code(&error), Some(*code_), "{name}: {told:?}");
            assert_eq!(told.payloads.len(), events + 1, "{name}: {told:?}");
        }
        ErrorLast(code_) => {
            let told = Told::by(answer).await;
            assert_eq!(told.broke, None, "{name}");
            assert_eq!(
                code(&error_at_end(name, &told)),
                Some(*code_),
                "{name}: {told:?}"
            );
        }
        Events(events) => {
            let told = Told::by(answer).await;
            assert_eq!(
                (told.payloads.len(), &told.broke),
                (*events, &None),
                "{name}"
            );
        }
    }
}

/// The last event, which is no `[DONE]`.
fn error_at_end(name: &str, told: &Told) -> Value {
    let last = told
        .payloads
        .last()
        .unwrap_or_else(|| panic!("{name}: no event"));
    serde_json::from_str(last).unwrap_or_else(|_| panic!("{name}: {last}"))
}

async fn counts(proxy: &TestProxy, pool: &str, kind: &str) -> f64 {
    let page = proxy.metrics().await;
    let of_pool = format!("headworks_upstream_failures_total{{pool=\"{pool}\"");
    let mut lines = page.lines().filter(|line| line.starts_with(&of_pool));
    let Some(line) = lines.next() else { return 0.0 };
    assert!(line.contains(&format!("kind=\"{kind}\"")), "{line}");
    assert_eq!(lines.next(), None);
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// A pool whose endpoints both take requests, one of which fails as said.
async fn with_a_good_one(fault: Fault, call: Call) {
    let (bad, good) = (Upstream::of(&fault).await, ModelServer::named("good"));
    let proxy = TestProxy::new()
        .pool("main", [bad.url(), good.url()])
        .unwatched("main")
        .set("pools.main.timeouts.head", "300ms")
        .set("pools.main.timeouts.first_token", "300ms")
        .start()
        .await;
    // By chance, but for how little each has to do.
    let mut asked = 0;
    while retries(&proxy, "made").await + unreachable(&proxy).await == 0.0 {
        let (path, body) = call.request("main");
        let answer = proxy.post(path, body).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{text}");
        assert!(!text.contains("error"), "{text}");
        asked += 1;
        assert!(asked < 200, "the bad endpoint is never asked");
    }
}

async fn retries(proxy: &TestProxy, verdict: &str) -> f64 {
    let series = format!("headworks_upstream_retries_total{{pool=\"main\",verdict=\"{verdict}\"}}");
    proxy.metric(&series).await
}

async fn unreachable(proxy: &TestProxy) -> f64 {
    proxy
        .metric("headworks_upstream_failures_total{pool=\"main\",kind=\"connect\"}")
        .await
}

#[tokio::test]
async fn before_the_first_token_another_endpoint_is_asked_and_the_client_sees_nothing() {
    with_a_good_one(Refused, Whole).await;
    with_a_good_one(Resets, Stream).await;
    with_a_good_one(Hangs(b""), Whole).await;
    with_a_good_one(Hangs(sse!(":\n\n")), Stream).await;
    with_a_good_one(Closes(SSE.as_bytes()), ChatStream).await;
    with_a_good_one(Model(FaultKind::Refuse), Stream).await;
    with_a_good_one(Model(FaultKind::Refuse), Chat).await;
    with_a_good_one(Model(FaultKind::Status { status: 503 }), Unified).await;
    with_a_good_one(Model(FaultKind::ErrorEvent { tokens: 0 }), ChatStream).await;
}

#[tokio::test]
async fn what_is_the_clients_fault_is_asked_once() {
    let answer = b"HTTP/1.1 422 x\r\ncontent-length: 0\r\n\r\n";
    let (one, two) = (
        Scripted::answering(answer).await,
        Scripted::answering(answer).await,
    );
    let proxy = TestProxy::new()
        .pool("main", [one.url(), two.url()])
        .unwatched("main")
        .start()
        .await;
    assert_eq!(proxy.post("/generate", ask(1)).await.status(), 422);
    assert_eq!(one.connections() + two.connections(), 1);
}

#[tokio::test]
async fn when_all_fail_retries_end_with_their_budget() {
    let busy = || ModelServer::named("busy");
    let servers = [busy(), busy(), busy()];
    servers
        .iter()
        .for_each(|server| server.inject(FaultKind::Refuse));
    let proxy = TestProxy::new()
        .pool("main", servers.iter().map(ModelServer::url))
        .start()
        .await;
    for _ in 0..100 {
        let answer = proxy.post("/generate", ask(1)).await;
        assert_eq!(answer.status(), 429);
    }
    let seen: u64 = servers.iter().map(ModelServer::seen).sum();
    // Ten were saved; a hundred requests bring ten more, but for what the first
    // would add to what is full.
    assert_eq!(seen, 119);
    assert_eq!(retries(&proxy, "made").await, 19.0);
    assert_eq!(retries(&proxy, "denied").await, 81.0);
}

#[tokio::test]
async fn a_fallback_stands_in_too_where_a_filter_finds_no_endpoint() {
    let (small, nobody) = (ModelServer::named("small"), Port::free());
    let models = json!({"models": {"big": {"pool": "big", "fallback": "small"}}});
    let proxy = TestProxy::to(&small)
        .pool("big", [format!("http://{}", nobody.address())])
        .filter(Guest::builtin("model-router").settings(models))
        .filter(Guest::builtin("load-shaper"))
        .start()
        .await;
    // By and by it is known that nothing is there, and nothing is tried any more.
    for _ in 0..5 {
        let answer = proxy.post("/v1/generate", unified("big")).await;
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(small.seen(), 5);
}

#[tokio::test]
async fn a_pool_that_fails_is_stood_in_for_by_its_fallback() {
    let (big, small) = (ModelServer::named("big"), ModelServer::named("small"));
    big.inject(FaultKind::Refuse);
    let models = json!({"models": {"big": {"pool": "big", "fallback": "small"}}});
    let proxy = TestProxy::to(&big)
        .model(&small)
        .filter(Guest::builtin("model-router").settings(models))
        .start()
        .await;
    for call in [Unified, Chat, ChatStream] {
        let (path, body) = call.request("big");
        let answer = proxy.post(path, body).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.text().await.unwrap().contains("small"));
    }
    let fallbacks = "headworks_upstream_fallbacks_total{pool=\"big\"}";
    assert_eq!(proxy.metric(fallbacks).await, 3.0);
}
