//! What the model servers tell of themselves (`GET /_stats`), and faults for them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{sleep, sleep_until};

use super::exchange::call;
use super::scenario::{Faults, Window};
use crate::server::Server;

/// How far into a stall a gateway may take to notice.
pub(crate) const NOTICE: f64 = 0.6;
/// How long after a stall new work is waited for.
const PROBE_LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// Counters of one server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Counters {
    seen: u64,
    told_prompts: u64,
    /// Of servers that tell it.
    cached_tokens: Option<u64>,
    lateness: Lateness,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Lateness {
    passes: u64,
    mean_ms: f64,
}

/// Counters of all servers together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Totals {
    passes: f64,
    late_ms: f64,
    prompts: u64,
    cached: Option<u64>,
}

impl Totals {
    /// Reads all servers now.
    pub(crate) async fn read(servers: &[Server]) -> Result<Self> {
        let mut all = Self::default();
        for server in servers {
            let one = read(server.address).await?;
            let passes = one.lateness.passes as f64;
            all.passes += passes;
            all.late_ms += passes * one.lateness.mean_ms;
            all.prompts += one.told_prompts;
            all.cached = one
                .cached_tokens
                .map(|cached| all.cached.unwrap_or(0) + cached);
        }
        Ok(all)
    }

    /// How late passes ended since `before`, mean, milliseconds.
    pub(crate) fn late_ms(&self, before: &Self) -> f64 {
        (self.late_ms - before.late_ms) / (self.passes - before.passes).max(1.0)
    }

    /// Share of prompt tokens that were found in a cache since `before`.
    pub(crate) fn hits(&self, before: &Self) -> Option<f64> {
        let cached = self.cached? - before.cached.unwrap_or(0);
        let prompts = self.prompts.saturating_sub(before.prompts);
        (prompts > 0).then(|| cached as f64 / prompts as f64)
    }
}

async fn read(address: SocketAddr) -> Result<Counters> {
    let text = call(address, "GET", "/_stats", "").await?;
    serde_json::from_str(&text).context("a model server tells no counters")
}

/// Tells the servers which faults they will have; `begun` is when the run began.
pub(crate) async fn inject(
    servers: &[Server],
    faults: Faults,
    windows: &[Window],
    begun: Instant,
) -> Result<()> {
    for window in windows {
        let due = Duration::from_secs_f64(window.begin).saturating_sub(begun.elapsed());
        let lasts = Duration::from_secs_f64(window.end - window.begin);
        let mut fault = match faults.slower {
            Some(factor) => json!({ "kind": "slow", "factor": factor }),
            None => json!({ "kind": "stall" }),
        };
        fault["after_ms"] = json!(due.as_millis() as u64);
        fault["for_ms"] = json!(lasts.as_millis() as u64);
        let server = &servers[window.server];
        call(server.address, "POST", "/_fault", &fault.to_string()).await?;
    }
    Ok(())
}

/// What a stalled server got; the worst of several stalls.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Stalls {
    /// Requests later than 0.6 s into the stall.
    pub(crate) new_work: u64,
    /// Seconds from its end to the next request.
    pub(crate) probe_s: f64,
}

/// Watches the servers during their stalls.
pub(crate) async fn watch(servers: Vec<(SocketAddr, Window)>, begun: Instant) -> Result<Stalls> {
    let mut worst = Stalls::default();
    for (address, window) in servers {
        let moment = |seconds: f64| begun + Duration::from_secs_f64(seconds);
        sleep_until(moment((window.begin + NOTICE).min(window.end)).into()).await;
        let noticed = read(address).await?.seen;
        let end = moment(window.end);
        sleep_until(end.into()).await;
        let over = read(address).await?.seen;
        while read(address).await?.seen == over && end.elapsed() < PROBE_LIMIT {
            sleep(POLL).await;
        }
        worst.new_work = worst.new_work.max(over - noticed);
        worst.probe_s = worst.probe_s.max(end.elapsed().as_secs_f64());
    }
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_of_the_passes_in_between() {
        let before = Totals {
            passes: 100.0,
            late_ms: 500.0,
            prompts: 1_000,
            cached: Some(100),
        };
        let after = Totals {
            passes: 300.0,
            late_ms: 540.0,
            prompts: 3_000,
            cached: Some(1_600),
        };
        assert!((after.late_ms(&before) - 0.2).abs() < 1e-9);
        assert_eq!(after.hits(&before), Some(0.75));
        assert_eq!(Totals::default().hits(&Totals::default()), None);
    }

    #[test]
    fn counters_that_a_server_does_not_tell_are_left_out() {
        let text = r#"{"seen": 3, "lateness": {"passes": 5, "mean_ms": 0.1, "max_ms": 2}}"#;
        let counters: Counters = serde_json::from_str(text).unwrap();
        assert_eq!(
            (
                counters.seen,
                counters.lateness.passes,
                counters.cached_tokens
            ),
            (3, 5, None)
        );
    }
}
