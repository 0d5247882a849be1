//! The operator's view of the gateway.

use std::path::PathBuf;

use reqwest::Response;
use serde::Deserialize;

use super::TestProxy;
use crate::until;

/// What is live, as `GET /generation` says.
#[derive(Debug, Clone, Deserialize)]
pub struct Live {
    /// Counts up from 1.
    pub id: u64,
    /// The configuration file.
    pub file: PathBuf,
    /// The chain.
    pub filters: Vec<LiveFilter>,
    /// Models that clients may ask for.
    pub models: Vec<String>,
    /// Keys whose change waits for a restart.
    pub restart_needed: Vec<String>,
    /// The last configuration, if it was not applied.
    pub last_error: Option<Refused>,
}

/// A filter that is live.
#[derive(Debug, Clone, Deserialize)]
pub struct LiveFilter {
    /// Its name.
    pub name: String,
    /// Where its code comes from.
    pub module: String,
    /// The SHA-256 of its code.
    pub digest: String,
}

/// A configuration that was not applied.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refused {
    /// When.
    pub at: String,
    /// Why.
    pub message: String,
}

impl TestProxy {
    /// Gets a page of the admin listener.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn admin_get(&self, path: &str) -> Response {
        self.try_admin(path).await.expect("operators are answered")
    }

    /// Posts nothing to a page of the admin listener.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn admin_post(&self, path: &str) -> Response {
        let posted = self.client.post(self.admin_url(path)).send().await;
        posted.expect("operators are answered")
    }

    /// What is live.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn generation(&self) -> Live {
        self.live().await.expect("operators are told what is live")
    }

    /// Waits until this generation or a later one is live.
    pub async fn wait_for_generation(&self, id: u64) -> Live {
        let what = format!("generation {id} is live");
        until(&what, async || {
            let live = self.generation().await;
            (live.id >= id).then_some(live)
        })
        .await
    }

    /// All metrics, in the OpenMetrics format.
    pub async fn metrics(&self) -> String {
        let page = self.admin_get("/metrics").await.text().await;
        page.expect("the page is text")
    }

    /// The value of a series, such as `headworks_reloads_total{result="applied"}`;
    /// 0 while it is not there.
    pub async fn metric(&self, series: &str) -> f64 {
        let page = self.metrics().await;
        let mut lines = page.lines().filter_map(|line| line.rsplit_once(' '));
        let found = lines.find(|(name, _)| *name == series);
        found.map_or(0.0, |(_, value)| {
            value.parse().expect("a value is a number")
        })
    }

    /// Waits until a series has this value.
    pub async fn wait_for_metric(&self, series: &str, value: f64) {
        let what = format!("{series} is {value}");
        until(&what, async || {
            (self.metric(series).await == value).then_some(())
        })
        .await;
    }

    pub(super) async fn try_admin(&self, path: &str) -> Option<Response> {
        self.client.get(self.admin_url(path)).send().await.ok()
    }

    pub(super) async fn live(&self) -> Option<Live> {
        self.try_admin("/generation").await?.json().await.ok()
    }

    fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at.admin.address())
    }
}
