//! A steady load in the background, which must not notice anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use anyhow::{Result, anyhow};

use super::client::{Client, request};
use crate::stage::MODELS;

/// Requests that run at once.
const WORKERS: usize = 8;

/// Running requests, one after the other in each worker.
pub(super) struct Traffic {
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<Count>>,
}

/// How they went.
#[derive(Default)]
pub(super) struct Count {
    pub(super) answered: u32,
    /// What went wrong, one by one.
    pub(super) failures: Vec<String>,
}

impl Traffic {
    /// Starts to send.
    pub(super) fn start(client: &Client) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let workers = (0..WORKERS)
            .map(|worker| {
                let (client, stop) = (client.clone(), stop.clone());
                thread::spawn(move || send_until(&client, MODELS[worker % MODELS.len()], &stop))
            })
            .collect();
        Self { stop, workers }
    }

    /// Lets the running requests end and counts.
    pub(super) fn stop(self) -> Result<Count> {
        self.stop.store(true, Ordering::Relaxed);
        let mut total = Count::default();
        for worker in self.workers {
            let count = worker
                .join()
                .map_err(|_| anyhow!("a worker of the background traffic panicked"))?;
            total.answered += count.answered;
            total.failures.extend(count.failures);
        }
        Ok(total)
    }
}

fn send_until(client: &Client, model: &str, stop: &AtomicBool) -> Count {
    let mut count = Count::default();
    let request = request(model, "Keep it short.");
    while !stop.load(Ordering::Relaxed) {
        match client
            .generate(&request)
            .and_then(|answer| answer.expect_from(model))
        {
            Ok(()) => count.answered += 1,
            Err(error) => count.failures.push(format!("{error:#}")),
        }
    }
    count
}
