//! Load that runs beside what a test does, and sees every failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use headworks_tests::{TestProxy, Told, until};
use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::support::ask;

/// How long a client waits before it asks again: load is to run beside a test
/// and not to take the machine from it.
const PAUSE: Duration = Duration::from_millis(10);

/// Requests for whole answers, or streams, as many at a time as were asked for.
pub(crate) struct Traffic {
    stop: Arc<AtomicBool>,
    count: Arc<Count>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

/// How far it is.
#[derive(Default)]
pub(crate) struct Count {
    /// Asked and not yet answered to the end.
    pub(crate) open: AtomicU64,
    /// Answered to the end.
    pub(crate) answered: AtomicU64,
}

/// How it went.
pub(crate) struct Summary {
    pub(crate) answered: u64,
    /// What went wrong, an entry for each failure.
    pub(crate) failures: Vec<String>,
}

impl Traffic {
    /// Whole answers, one after the other.
    pub(crate) fn requests(proxy: &TestProxy, clients: usize) -> Self {
        let request = proxy.request("/v1/generate", &ask(8));
        Self::start(clients, &request, PAUSE, |request| {
            async move {
                let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
                let (status, text) = (answer.status(), answer.text().await);
                let text = text.map_err(|error| format!("{status}: {error:?}"))?;
                let body: Value = serde_json::from_str(&text).unwrap_or_default();
                let good = status == 200 && body["usage"].is_object();
                good.then_some(()).ok_or(format!("{status}: {text}"))
            }
            .boxed()
        })
    }

    /// Streams of so many tokens; each is read to its end.
    pub(crate) fn streams(proxy: &TestProxy, clients: usize, tokens: u32) -> Self {
        let request = proxy.request("/generate_stream", &ask(tokens));
        let request = request
            .header("x-sim-out", tokens)
            .header("x-tier", "stream");
        Self::start(clients, &request, Duration::ZERO, move |request| {
            async move {
                let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
                if answer.status() != 200 {
                    return Err(format!("{}: {:?}", answer.status(), answer.text().await));
                }
                let told = Told::by(answer).await;
                let last = told.payloads.last().cloned().unwrap_or_default();
                let got = told.payloads.len();
                told.is_whole(tokens as usize).then_some(()).ok_or(format!(
                    "truncated after {got} of {tokens}: {:?}, last {last}",
                    told.broke
                ))
            }
            .boxed()
        })
    }

    fn start(
        clients: usize,
        request: &RequestBuilder,
        pause: Duration,
        ask: impl Fn(RequestBuilder) -> BoxFuture<'static, Result<(), String>> + Copy + Send + 'static,
    ) -> Self {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(Count::default()));
        let client = |_| {
            let (stop, count) = (stop.clone(), count.clone());
            let request = request.try_clone().unwrap();
            tokio::spawn(async move {
                let mut failures = Vec::new();
                while !stop.load(SeqCst) {
                    count.open.fetch_add(1, SeqCst);
                    let answered = ask(request.try_clone().unwrap()).await;
                    count.open.fetch_sub(1, SeqCst);
                    tokio::time::sleep(pause).await;
                    match answered {
                        Ok(()) => drop(count.answered.fetch_add(1, SeqCst)),
                        Err(failure) => failures.push(failure),
                    }
                }
                failures
            })
        };
        Self {
            clients: (0..clients).map(client).collect(),
            stop,
            count,
        }
    }

    /// Waits until so many were answered since now.
    pub(crate) async fn answers(&self, more: u64) {
        let target = self.count.answered.load(SeqCst) + more;
        until("requests are answered", async || {
            (self.count.answered.load(SeqCst) >= target).then_some(())
        })
        .await;
    }

    /// Lets what is open end, and tells how all went.
    pub(crate) async fn stop(self) -> Summary {
        self.stop.store(true, SeqCst);
        let ended = join_all(self.clients).await;
        Summary {
            failures: ended.into_iter().flat_map(Result::unwrap).collect(),
            answered: self.count.answered.load(SeqCst),
        }
    }
}

impl Summary {
    /// Fails unless requests ran and none failed.
    pub(crate) fn assert_untouched(&self) {
        let shown = &self.failures[..self.failures.len().min(3)];
        assert!(
            self.failures.is_empty(),
            "{} of {} failed, such as {shown:#?}",
            self.failures.len(),
            self.answered
        );
        assert!(self.answered > 0, "nothing ran");
    }
}
