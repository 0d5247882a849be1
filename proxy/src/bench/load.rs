//! Users who ask: each in a loop of its own, with a pause after every answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use parking_lot::Mutex;
use rand::Rng as _;
use tokio::time::{sleep, sleep_until};

use super::ask::{Asker, Question, Seen};
use super::tally::{Start, Tally};
use super::{Args, args::Pause};

/// How often a model that does not answer yet is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// How often it is told how far the load is.
const PROGRESS: Duration = Duration::from_secs(5);

/// Has each model say something, and tells when it did.
///
/// # Errors
/// When one says nothing for too long.
pub(super) async fn first_tokens(
    asker: &Asker,
    args: &Args,
    prompts: &[String],
) -> Result<Vec<Start>> {
    let began = Instant::now();
    let mut starts = Vec::new();
    for model in &args.models {
        let question = Question {
            model,
            scenario: &args.scenarios[0],
            prompt: &prompts[0],
        };
        eprintln!("waiting for the first token of {model}");
        let seen = until_answered(asker, question, began, args).await?;
        starts.push(Start {
            model: model.clone(),
            // Of a whole answer nobody sees the first token.
            first_token: began.elapsed() - seen.took + seen.first.unwrap_or(seen.took),
            alone: seen.first.unwrap_or(seen.took),
        });
    }
    Ok(starts)
}

async fn until_answered(
    asker: &Asker,
    question: Question<'_>,
    began: Instant,
    args: &Args,
) -> Result<Seen> {
    loop {
        let seen = asker.ask(question).await;
        let Some(failure) = &seen.failure else {
            return Ok(seen);
        };
        if began.elapsed() >= args.wait {
            let (model, url) = (question.model, &args.url);
            let waited = humantime::format_duration(args.wait);
            bail!("{model} does not answer through {url} after {waited}: {failure}");
        }
        sleep(AGAIN).await;
    }
}

/// Lets users ask until their time is over, and waits for the last answers. Tells
/// how long it took, to the last answer.
pub(super) async fn run(asker: &Asker, args: &Args, prompts: &[String]) -> (Tally, Duration) {
    let began = Instant::now();
    let until = began + args.duration;
    let tally = Arc::new(Mutex::new(Tally::default()));
    let users = (0..args.users).map(|number| {
        let begins = began + Duration::from_secs_f64(f64::from(number) / args.spawn_rate);
        user(
            asker,
            args,
            prompts,
            number as usize,
            (begins, until),
            &tally,
        )
    });
    let all = futures::future::join_all(users);
    tokio::select! {
        _ = all => {}
        () = tells_progress(&tally, began, args.duration) => {}
    }
    let elapsed = began.elapsed();
    let tally = std::mem::take(&mut *tally.lock());
    (tally, elapsed)
}

async fn user(
    asker: &Asker,
    args: &Args,
    prompts: &[String],
    number: usize,
    (begins, until): (Instant, Instant),
    tally: &Mutex<Tally>,
) {
    sleep_until(begins.into()).await;
    // Users begin at different places, so that all is asked from the beginning.
    for turn in number.. {
        if Instant::now() >= until {
            return;
        }
        let model = &args.models[turn % args.models.len()];
        let question = Question {
            model,
            scenario: &args.scenarios[turn % args.scenarios.len()],
            prompt: &prompts[turn % prompts.len()],
        };
        let seen = asker.ask(question).await;
        tally.lock().add(model, &seen);
        let left = until.saturating_duration_since(Instant::now());
        sleep(pause(args.pause).min(left)).await;
    }
}

fn pause(pause: Pause) -> Duration {
    rand::rng().random_range(pause.from..=pause.to)
}

/// Says now and then how it goes; never ends.
async fn tells_progress(tally: &Mutex<Tally>, began: Instant, duration: Duration) {
    loop {
        sleep(PROGRESS).await;
        let passed = began.elapsed();
        let said = tally.lock().progress(passed);
        eprintln!(
            "{:>4.0} of {:.0} s: {said}",
            passed.as_secs_f64(),
            duration.as_secs_f64()
        );
    }
}
