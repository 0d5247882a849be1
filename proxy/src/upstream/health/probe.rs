//! One question to an endpoint, and what is learnt of the answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use humantime::format_duration;
use pingora_timeout::timeout;

use super::Meters;
use crate::config::{Health, Protocol};
use crate::error::Error;
use crate::upstream::info::Limits;
use crate::upstream::message::Message;
use crate::upstream::scrape::Gauges;
use crate::upstream::terms::Terms;
use crate::upstream::{Connector, Endpoint};

/// Largest answer about health or limits.
const SMALL: usize = 64 << 10;

/// Largest page of metrics.
const PAGE: usize = 4 << 20;

/// For how many intervals gauges are believed that could not be read again.
/// A server that is too busy to show them is as busy as it was.
const BELIEVED: u32 = 5;

/// Asks an endpoint.
pub(super) struct Probe {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) protocol: Protocol,
    pub(super) health: Health,
    /// Pool and endpoint, as metrics name them.
    pub(super) labels: [Arc<str>; 2],
    pub(super) connector: Arc<Connector>,
    pub(super) meters: Arc<Meters>,
}

impl Probe {
    /// Asks whether it is well; once it is, what it is.
    pub(super) async fn check(&self) {
        let is_back = match self.is_well().await {
            Ok(()) => self.passed(),
            Err(failure) => return self.failed(&failure),
        };
        // What comes back may be another model.
        if self.protocol == Protocol::Tgi && (is_back || self.endpoint.limits().is_none()) {
            self.read_limits().await;
        }
    }

    async fn is_well(&self) -> Result<(), String> {
        let (status, _) = self.get(&self.health.path, SMALL).await?;
        match status {
            StatusCode::OK => Ok(()),
            other => Err(format!("status {}", other.as_u16())),
        }
    }

    fn passed(&self) -> bool {
        let enough = self.health.healthy_after;
        let is_back = self
            .endpoint
            .standing(|known, now| known.passed(enough, now));
        if is_back {
            let [pool, endpoint] = &self.labels;
            tracing::info!(%pool, %endpoint, "healthy again");
        }
        is_back
    }

    fn failed(&self, failure: &str) {
        self.meters.failed_check(&self.labels);
        let [pool, endpoint] = &self.labels;
        tracing::debug!(%pool, %endpoint, failure, "failed a check");
        let enough = self.health.unhealthy_after;
        if self
            .endpoint
            .standing(|known, _| known.missed(enough, failure))
        {
            tracing::warn!(%pool, %endpoint, failure, "unhealthy");
        }
    }

    /// Reads what it says of itself. Not asked again if it has nothing to say.
    async fn read_limits(&self) {
        match self.get("/info", SMALL).await {
            Ok((StatusCode::OK, body)) => self.endpoint.set_limits(Limits::read(&body)),
            Ok(_) => self.endpoint.set_limits(Limits::default()),
            Err(failure) => self.note("/info", &failure),
        }
    }

    /// Reads how busy it is.
    pub(super) async fn scrape(&self, path: &str) {
        match self.get(path, PAGE).await {
            Ok((StatusCode::OK, page)) => {
                let gauges = Gauges::read(&String::from_utf8_lossy(&page));
                let believed = self.health.scrape_interval.saturating_mul(BELIEVED);
                self.endpoint.scraped(gauges, Instant::now() + believed);
            }
            Ok((status, _)) => self.note(path, status.as_str()),
            Err(failure) => self.note(path, &failure),
        }
    }

    fn note(&self, path: &str, failure: &str) {
        let endpoint = &self.labels[1];
        tracing::debug!(%endpoint, path, failure, "could not be read");
    }

    /// The answer to a `GET`, over a connection of its own.
    async fn get(&self, path: &str, limit: usize) -> Result<(StatusCode, Bytes), String> {
        let within = self.health.timeout;
        let terms = Terms::within(&self.endpoint, within);
        let message = Message::get(&self.endpoint, path, &HeaderMap::new());
        let asked = async {
            let asked = self.connector.ask_anew(&self.endpoint, &message, &terms);
            let mut answer = asked.await?;
            let body = answer.body(limit).await?;
            Ok((answer.head().status, body))
        };
        match timeout(within, asked).await {
            Ok(answered) => answered.map_err(|error| failure(error, within)),
            Err(_) => Err(late(within)),
        }
    }
}

/// What is said of an endpoint that is named beside it.
fn failure(error: Error, within: Duration) -> String {
    match error {
        Error::Connect { reason, .. } => format!("cannot connect: {reason}"),
        Error::UpstreamBroke { reason, .. } => format!("its answer failed: {reason}"),
        Error::UpstreamTimeout { .. } => late(within),
        other => other.to_string(),
    }
}

fn late(within: Duration) -> String {
    format!("no answer within {}", format_duration(within))
}
