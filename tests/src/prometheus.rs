//! A Prometheus server of Debian's package, which watches one gateway.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Port, until};

/// A Prometheus that keeps what it saw in a folder of its own. It is killed when
/// dropped.
pub struct Prometheus {
    port: Port,
    child: Child,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one that reads this address twice a second, and waits until it answers.
    ///
    /// # Panics
    /// When it is not installed.
    pub async fn watching(target: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let port = Port::free();
        let server = Self {
            child: spawn(target, port.address(), &folder),
            port,
            client: reqwest::Client::new(),
            _folder: folder,
        };
        until("Prometheus answers", async || {
            let ready = server.client.get(server.url("/-/ready")).send().await;
            ready.ok()?.status().is_success().then_some(())
        })
        .await;
        server
    }

    /// What an expression comes to now: a sample for each series.
    ///
    /// # Errors
    /// What Prometheus says of an expression that it cannot read.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let request = self.client.get(self.url("/api/v1/query"));
        let answer = request.query(&[("query", expression)]).send().await;
        let answer = answer.expect("Prometheus answers").json::<Value>().await;
        let answer = answer.expect("it answers JSON");
        match answer["data"]["result"].as_array() {
            Some(samples) => Ok(samples.clone()),
            None => Err(answer["error"].to_string()),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.port.address())
    }
}

fn spawn(target: SocketAddr, listen: SocketAddr, folder: &TempDir) -> Child {
    let config = folder.path().join("prometheus.yml");
    let text = format!(
        "global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\n\
         scrape_configs: [{{job_name: headworks, static_configs: [{{targets: ['{target}']}}]}}]\n"
    );
    fs::write(&config, text).expect("the folder can be written to");
    let flag = |name: &str, value: &dyn std::fmt::Display| format!("--{name}={value}");
    let mut command = Command::new("prometheus");
    command
        .arg(flag("config.file", &config.display()))
        .arg(flag(
            "storage.tsdb.path",
            &folder.path().join("data").display(),
        ))
        .arg(flag("web.listen-address", &listen))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect(
        "prometheus is not installed; on Debian: apt-get install --no-install-recommends prometheus",
    )
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
