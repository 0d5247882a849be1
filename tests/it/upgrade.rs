//! A newer program takes over from a running one, and nobody notices.

use headworks_tests::{ModelServer, Signal, TestProxy, Told, until};
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::Value;
use tokio::net::{TcpStream, UnixDatagram};

use crate::support::ask;
use crate::traffic::Traffic;

/// Tokens of a stream that ends after the handover.
const LONG: u32 = 400;

/// A process that took over. It is no child of ours, and is killed when dropped.
struct Successor(Pid);

impl Successor {
    /// Waits until there is one.
    async fn of(proxy: &TestProxy) -> Self {
        proxy.logged("handed over").await;
        let logs = proxy.logs();
        let lines = logs.lines().map(|line| serde_json::from_str(line).unwrap());
        let told = |line: Value| line["fields"]["successor"].as_i64();
        let id = lines
            .filter_map(told)
            .next_back()
            .expect("the log names it");
        Self(Pid::from_raw(id.try_into().unwrap()))
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        // It may have ended.
        kill(self.0, Signal::SIGKILL).ok();
    }
}

#[tokio::test]
async fn a_successor_takes_over_without_a_lost_request_or_stream() {
    let model = ModelServer::paced("qwen2", 1.0);
    let proxy = TestProxy::to(&model)
        .set("server.drain", "1h")
        .start()
        .await;
    let traffic = Traffic::requests(&proxy, 4);
    let connecting = Traffic::streams(&proxy, 4, 8);
    traffic.answers(8).await;
    let stream = proxy.stream(LONG).await;

    proxy.signal(Signal::SIGUSR2);
    let successor = Successor::of(&proxy).await;
    let told = Told::by(stream).await;
    assert!(told.is_whole(LONG as usize), "{told:?}");
    assert_eq!(proxy.ended().await.code(), Some(0));

    // Only the successor is left.
    traffic.answers(8).await;
    traffic.stop().await.assert_untouched();
    connecting.stop().await.assert_untouched();
    assert_eq!(proxy.admin_get("/readyz").await.status(), 200);
    kill(successor.0, Signal::SIGTERM).unwrap();
    until("the successor ends", async || {
        kill(successor.0, None).is_err().then_some(())
    })
    .await;
}

#[tokio::test]
async fn systemd_is_told_which_process_serves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    let hear = async || {
        let mut told = [0; 256];
        let length = systemd.recv(&mut told).await.unwrap();
        String::from_utf8(told[..length].to_vec()).unwrap()
    };
    let model = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&model).notifies(&path).start().await;
    assert_eq!(hear().await, format!("MAINPID={}\nREADY=1\n", proxy.pid()));
    proxy.signal(Signal::SIGUSR2);
    let successor = Successor::of(&proxy).await;
    assert_eq!(hear().await, format!("MAINPID={}\nREADY=1\n", successor.0));
    kill(successor.0, Signal::SIGTERM).unwrap();
    assert_eq!(hear().await, "STOPPING=1\n");
}

#[tokio::test]
async fn a_successor_that_cannot_start_changes_nothing() {
    let model = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&model).start().await;
    let refused = proxy.write_config("[pools.qwen2]\nendpoints = []").await;
    refused.unwrap_err();
    proxy.signal(Signal::SIGUSR2);
    proxy.logged("not upgraded, this process serves on").await;
    assert_eq!(proxy.post("/generate", ask(2)).await.status(), 200);
    assert!(!proxy.has_ended());
    assert_eq!(proxy.logs().matches("\"serving\"").count(), 1);
}

#[tokio::test]
async fn a_stop_ends_a_handover_that_has_begun() {
    let model = ModelServer::named("qwen2");
    let proxy = TestProxy::to(&model).start().await;
    proxy.signal(Signal::SIGUSR2);
    proxy.signal(Signal::SIGTERM);
    assert_eq!(proxy.ended().await.code(), Some(0));
    assert!(!proxy.logs().contains("handed over"), "{}", proxy.logs());
    assert!(TcpStream::connect(proxy.address()).await.is_err());
}
