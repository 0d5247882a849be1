//! How the gateway sees its endpoints.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::TestProxy;
use crate::until;

/// An endpoint, as `GET /endpoints` shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct EndpointState {
    /// Its URL.
    pub url: String,
    /// `up`, `degraded` or `down`.
    pub health: String,
    /// Why it is not up.
    pub why: Option<String>,
    /// Whether it is to get no requests.
    pub drained: bool,
    /// Its part of its full share.
    pub share: f64,
    /// Requests on it.
    pub in_flight: u32,
    /// What its metrics say.
    pub gauges: Value,
    /// What it says of itself.
    pub limits: Value,
}

#[derive(Deserialize)]
struct Endpoints {
    pools: BTreeMap<String, Vec<EndpointState>>,
}

impl TestProxy {
    /// An endpoint, as the gateway sees it.
    ///
    /// # Panics
    /// When it has no such endpoint.
    pub async fn endpoint(&self, url: &str) -> EndpointState {
        let page = self.admin_get("/endpoints").await.json().await;
        let Endpoints { pools } = page.expect("the page is as the documents say");
        let found = pools.into_values().flatten().find(|it| it.url == url);
        found.unwrap_or_else(|| panic!("{url} is no endpoint"))
    }

    /// Takes an endpoint out of use.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn drain(&self, url: &str) -> Value {
        self.told(&format!("/drain?endpoint={url}")).await
    }

    /// Takes an endpoint into use again.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn undrain(&self, url: &str) -> Value {
        self.told(&format!("/undrain?endpoint={url}")).await
    }

    async fn told(&self, path: &str) -> Value {
        let answer = self.admin_post(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.expect("the answer is JSON")
    }

    /// Waits until the gateway sees an endpoint as `condition` wants it.
    pub async fn until_endpoint(
        &self,
        url: &str,
        what: &str,
        condition: impl Fn(&EndpointState) -> bool,
    ) -> EndpointState {
        until(&format!("{url} {what}"), async || {
            Some(self.endpoint(url).await).filter(&condition)
        })
        .await
    }

    /// Waits until an endpoint has this health.
    pub async fn until_health(&self, url: &str, health: &str) -> EndpointState {
        self.until_endpoint(url, health, |it| it.health == health)
            .await
    }
}
