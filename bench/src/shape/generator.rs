//! Sends a plan: each request at its time, whatever became of the ones before,
//! or each user's next one when the last was answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::events::End;
use super::exchange::exchange;
use super::plan::{Plan, Request};
use super::render::Dialect;
use crate::wire::Wire;

/// How long answers are waited for after the last request.
const DRAIN: Duration = Duration::from_secs(60);

/// What became of one request. Times are seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    /// When it was to be sent, from the beginning of the run.
    pub(crate) at: f64,
    /// How much later it was sent.
    pub(crate) late: f64,
    /// Who sent it.
    pub(crate) sender: usize,
    /// Tokens of its prompt.
    pub(crate) input: u32,
    /// Tokens that its answer had or should have had.
    pub(crate) output: u32,
    /// How it ended; `None` if it had not when the run was over.
    pub(crate) end: Option<End>,
    /// From the intended sending to the answer's last byte.
    pub(crate) took: f64,
    /// From the intended sending to the first token of a stream.
    pub(crate) first: Option<f64>,
}

impl Outcome {
    /// Of a request that has not ended.
    pub(crate) fn open(request: &Request, at: f64) -> Self {
        Self {
            at,
            late: 0.0,
            sender: request.sender,
            input: request.input,
            output: request.output,
            end: None,
            took: f64::INFINITY,
            first: None,
        }
    }
}

/// Where requests go, and how they are written.
pub(crate) struct Target {
    /// The gateway.
    pub(crate) address: SocketAddr,
    /// How requests are written.
    pub(crate) dialect: Dialect,
    idle: Mutex<Vec<Wire>>,
    /// What ended so far.
    outcomes: Mutex<Vec<Outcome>>,
}

impl Target {
    /// Nothing sent yet.
    pub(crate) fn new(address: SocketAddr, dialect: Dialect) -> Self {
        Self {
            address,
            dialect,
            idle: Mutex::new(Vec::new()),
            outcomes: Mutex::new(Vec::new()),
        }
    }
}

/// Sends all requests of the plan; what it returns is in order of their times.
/// Users end when `seconds` are over.
pub(crate) async fn send(target: Target, plan: Plan, begun: Instant, seconds: f64) -> Vec<Outcome> {
    let target = Arc::new(target);
    let mut running = JoinSet::new();
    match plan {
        Plan::Open(requests) => {
            for request in requests {
                let due = begun + Duration::from_secs_f64(request.at);
                sleep_until(due.into()).await;
                running.spawn(one(target.clone(), request, begun, due));
            }
        }
        Plan::Closed(users) => {
            for requests in users {
                running.spawn(user(target.clone(), requests, begun, seconds));
            }
            sleep_until((begun + Duration::from_secs_f64(seconds)).into()).await;
        }
    }
    // What has not ended then tells so itself when it is dropped.
    let _ = timeout(DRAIN, async {
        while running.join_next().await.is_some() {}
    })
    .await;
    running.shutdown().await;
    let mut outcomes = std::mem::take(&mut *target.outcomes.lock());
    outcomes.sort_by(|a, b| a.at.total_cmp(&b.at));
    outcomes
}

/// One user's loop.
async fn user(target: Arc<Target>, requests: Vec<Request>, begun: Instant, seconds: f64) {
    for request in requests {
        let due = Instant::now() + Duration::from_secs_f64(request.at);
        if due.duration_since(begun).as_secs_f64() >= seconds {
            return;
        }
        sleep_until(due.into()).await;
        one(target.clone(), request, begun, due).await;
    }
}

async fn one(target: Arc<Target>, request: Request, begun: Instant, due: Instant) {
    let mut ended = Ending {
        outcome: Outcome {
            late: due.elapsed().as_secs_f64(),
            ..Outcome::open(&request, due.duration_since(begun).as_secs_f64())
        },
        target,
    };
    let target = ended.target.clone();
    let bytes = target.dialect.render(&request);
    let idle = target.idle.lock().pop();
    let (seen, wire) = exchange(idle, target.address, &bytes).await;
    target.idle.lock().extend(wire);
    let outcome = &mut ended.outcome;
    outcome.end = Some(seen.end);
    outcome.took = seen.last.duration_since(due).as_secs_f64();
    outcome.first = seen
        .first
        .map(|first| first.duration_since(due).as_secs_f64());
    if seen.tokens > 0 {
        outcome.output = seen.tokens;
    }
}

/// Keeps the outcome however the exchange ends, even if it is given up.
struct Ending {
    outcome: Outcome,
    target: Arc<Target>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.target.outcomes.lock().push(self.outcome);
    }
}
