//! The figures of one run: a line of results.csv.

use serde::{Deserialize, Serialize};

use super::policy::Policy;

/// Separates the names of columns that are lists.
pub(crate) const TENANT_SEPARATOR: char = ' ';

/// Which time passes in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Time {
    /// The clock's, on real sockets.
    #[default]
    Real,
    /// That of a simulation.
    Simulated,
}

/// One run. Times are in the unit that a name ends with; shares are of 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Row {
    /// What was run: `A11-whole-overload`.
    pub(crate) case: String,
    /// Under which policy.
    pub(crate) policy: Option<Policy>,
    /// Requests a second that were meant to come; of a closed loop, users.
    pub(crate) rate: f64,
    /// Which arrivals.
    pub(crate) seed: u64,
    /// Length of the run as a multiple of what the case asks for.
    pub(crate) scale: f64,
    /// Real or simulated.
    pub(crate) time: Time,
    /// Tells builds of gateway, model server and filter apart.
    pub(crate) version: String,
    /// In which time from its intended sending an answer should be there; where that depends
    /// on its length, an answer of usual length.
    pub(crate) objective_s: f64,
    /// Why the run does not count; empty if it does.
    pub(crate) void: String,

    /// Length of what counts.
    pub(crate) seconds: f64,
    /// Requests sent in it.
    pub(crate) sent: u64,
    /// Those that were answered.
    pub(crate) answered: u64,
    /// Those that were refused.
    pub(crate) refused: u64,
    /// Those that failed in another way, or had not ended a minute after the last was sent.
    pub(crate) failed: u64,
    /// Those that were answered after their objective.
    pub(crate) late: u64,
    /// Answers in time a second.
    pub(crate) goodput: f64,
    /// Tokens of answers in time a second.
    pub(crate) token_goodput: f64,
    /// Latency of answers, from the intended sending to the last byte.
    pub(crate) p50_s: Option<f64>,
    pub(crate) p95_s: Option<f64>,
    pub(crate) p99_s: Option<f64>,
    /// From the intended sending to the first token.
    pub(crate) ttft_p50_s: Option<f64>,
    pub(crate) ttft_p99_s: Option<f64>,
    /// From the intended sending to the end of a refusal.
    pub(crate) refusal_p99_ms: Option<f64>,
    /// Share of refusals that say when to try again.
    pub(crate) retry_after: Option<f64>,
    /// Share answered in time, of the quarter with the shortest prompts to the longest.
    pub(crate) in_time_q1: Option<f64>,
    pub(crate) in_time_q2: Option<f64>,
    pub(crate) in_time_q3: Option<f64>,
    pub(crate) in_time_q4: Option<f64>,
    /// Share answered in time of each tenant, in the order of the traffic.
    pub(crate) in_time_tenants: String,
    /// The same of all tenants but the first.
    pub(crate) in_time_others: Option<f64>,
    /// Jain's index of tokens served over max-min entitlement.
    pub(crate) jain: Option<f64>,

    /// Requests sent during faults and just after.
    pub(crate) window_sent: Option<u64>,
    pub(crate) window_p99_s: Option<f64>,
    pub(crate) window_in_time: Option<f64>,
    /// Share of them that were refused or failed.
    pub(crate) window_failures: Option<f64>,
    /// Requests that a stalled server got later than 0.6 s into the stall; the worst stall.
    pub(crate) stall_new_work: Option<u64>,
    /// From the end of a stall to the next request that the server got; the worst stall.
    pub(crate) stall_probe_s: Option<f64>,
    /// Share of prompt tokens found in the servers' caches, where servers tell.
    pub(crate) cache_hits: Option<f64>,

    /// How much later than intended requests were sent.
    pub(crate) generator_p99_ms: f64,
    /// How late the servers' passes ended, mean.
    pub(crate) step_late_ms: f64,
    /// CPU time of the gateway for one request.
    pub(crate) gateway_cpu_us: Option<f64>,
    /// How long the gateway waited for its core each time it had something to do, mean.
    pub(crate) gateway_wait_ms: f64,
    /// What other processes and machines took of our cores, in cores.
    pub(crate) noise: f64,
}

impl Row {
    /// Share of requests that were refused or failed.
    pub(crate) fn failures(&self) -> f64 {
        (self.refused + self.failed) as f64 / (self.sent.max(1)) as f64
    }

    /// Share of requests that were answered in time.
    pub(crate) fn in_time(&self) -> f64 {
        (self.answered - self.late) as f64 / (self.sent.max(1)) as f64
    }

    /// Whether it tells what another one tells, up to void ones.
    pub(crate) fn is_of(&self, case: &str, policy: Policy, rate: f64, seed: u64) -> bool {
        self.case == case
            && self.policy == Some(policy)
            && (self.rate - rate).abs() < 1e-9
            && self.seed == seed
    }

    /// A line for people.
    pub(crate) fn summary(&self) -> String {
        let p99 = self.p99_s.map_or("-".into(), |p99| format!("{p99:.2} s"));
        let mut text = format!(
            "{} sent, {:.1} req/s in time, P99 {p99}, refused {:.1} %, failed {:.1} %",
            self.sent,
            self.goodput,
            self.refused as f64 / self.sent.max(1) as f64 * 100.0,
            self.failed as f64 / self.sent.max(1) as f64 * 100.0,
        );
        if let Some(p99) = self.window_p99_s {
            text.push_str(&format!(", P99 in faults {p99:.2} s"));
        }
        if !self.void.is_empty() {
            text.push_str(&format!(" (void: {})", self.void));
        }
        text
    }
}
