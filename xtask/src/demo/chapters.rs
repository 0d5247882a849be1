//! The chapters before and after the reload: answers, a stream, refusals, what
//! is live, what was measured.

use std::io::Write as _;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::client::{Answer, Client, request};
use crate::stage::{MODELS, Stage};
use crate::ui::{heading, human};

/// Tells the chapters up to what is live.
pub(super) fn tell(stage: &Stage) -> Result<()> {
    let client = Client::new(&stage.gateway, &stage.admin);
    heading("On stage");
    println!(
        "gateway        {}\nadmin          {}",
        stage.gateway, stage.admin
    );
    println!("configuration  {}", stage.config.path().display());
    two_models(&client)?;
    one_stream(&client)?;
    refusals(&client)?;
    what_is_live(&client)
}

fn two_models(client: &Client) -> Result<()> {
    heading("Two models behind one address");
    for model in MODELS {
        let answer = ask(client, &request(model, "What is a headworks?"))?;
        answer.expect_from(model)?;
        ensure!(
            answer.body["model_id"] == model,
            "the answer does not name {model} as its `model_id`"
        );
    }
    Ok(())
}

fn one_stream(client: &Client) -> Result<()> {
    heading("A stream, as its tokens arrive");
    let mut request = request("qwen2", "Tell me about rivers.");
    request["stream"] = json!(true);
    println!("> POST /v1/generate  {request}");
    print!("< ");
    let started = Instant::now();
    let mut arrivals = Vec::new();
    client.stream(&request, |event| {
        if let Some(token) = event["token"]["text"].as_str() {
            arrivals.push(started.elapsed());
            print!("{token}");
            // Shown token by token or, where stdout is closed, not at all.
            let _ = std::io::stdout().flush();
        }
    })?;
    println!();
    ensure!(
        arrivals.len() > 1,
        "a stream of {} tokens is none",
        arrivals.len()
    );
    println!(
        "  {} tokens, the first after {}, the last after {}",
        arrivals.len(),
        human(arrivals[0]),
        human(started.elapsed())
    );
    Ok(())
}

fn refusals(client: &Client) -> Result<()> {
    heading("Refused by the filter model-router");
    expect_refusal(&ask(client, &request("gpt-900", "Anybody there?"))?)?;
    heading("Refused by the filter token-limits");
    let mut greedy = request("llama3", "Write me a novel.");
    greedy["parameters"]["max_new_tokens"] = json!(1_000_000);
    expect_refusal(&ask(client, &greedy)?)
}

fn what_is_live(client: &Client) -> Result<()> {
    heading("What is live: GET /generation on the admin listener");
    let generation: Value = serde_json::from_str(&client.admin("/generation")?)?;
    println!("{generation:#}");
    Ok(())
}

/// Tells what the chapters before it left in the metrics.
pub(super) fn tell_metrics(stage: &Stage) -> Result<()> {
    heading("What was measured: GET /metrics on the admin listener");
    let metrics = Client::new(&stage.gateway, &stage.admin).admin("/metrics")?;
    let lines: Vec<&str> = metrics
        .lines()
        .filter(|line| is_worth_reading(line))
        .collect();
    for model in MODELS {
        let label = format!("\"{model}\"");
        ensure!(
            lines.iter().any(|line| line.contains(&label)),
            "no metric is labelled {label}"
        );
    }
    for line in lines {
        println!("{line}");
    }
    Ok(())
}

/// Counts of requests, tokens and reloads; not the buckets of histograms.
fn is_worth_reading(line: &str) -> bool {
    let name = line.split(['{', ' ']).next().unwrap_or_default();
    let about = ["requests", "tokens", "reload", "generation", "filter"]
        .iter()
        .any(|word| name.contains(word));
    about && !name.ends_with("_bucket") && !line.starts_with('#')
}

fn ask(client: &Client, request: &Value) -> Result<Answer> {
    println!("> POST /v1/generate  {request}");
    let answer = client.generate(request)?;
    println!(
        "< {} in {}  {}\n",
        answer.status,
        human(answer.took),
        answer.body
    );
    Ok(answer)
}

fn expect_refusal(answer: &Answer) -> Result<()> {
    ensure!(
        (400..500).contains(&answer.status),
        "expected a refusal, got {}",
        answer.status
    );
    ensure!(
        answer.body["error"].is_string() || answer.body["error"].is_object(),
        "a refusal without `error`"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_shown_and_buckets_are_not() {
        assert!(is_worth_reading("requests_total{model=\"qwen2\"} 3"));
        assert!(is_worth_reading(
            "headworks_reloads_total{result=\"applied\"} 5"
        ));
        assert!(!is_worth_reading(
            "headworks_requests_seconds_bucket{le=\"1\"} 3"
        ));
        assert!(!is_worth_reading("# HELP requests_total Requests."));
        assert!(!is_worth_reading("process_open_fds{kind=\"requests\"} 9"));
    }
}
