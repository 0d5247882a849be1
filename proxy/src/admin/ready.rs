//! `headworks ready`: asks a gateway on this machine whether it can serve, for
//! health checks of containers that have no other program.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, StatusCode};

/// How long the gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the admin listener at this address.
///
/// # Errors
/// When it does not answer, or says that it is not ready.
pub fn ask(admin: SocketAddr) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = Client::builder().timeout(PATIENCE).build()?;
        let asked = client.get(format!("http://{admin}/readyz")).send().await;
        let answer = asked.with_context(|| {
            format!("no answer at {admin}; is the gateway running, and is that `admin.listen`?")
        })?;
        let status = answer.status();
        let said = answer.text().await.unwrap_or_default();
        ensure!(status == StatusCode::OK, "not ready: {}", said.trim());
        Ok(())
    })
}
