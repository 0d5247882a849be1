//! Counts and times every exchange that it sees: requests, tokens, statuses,
//! failures, latency. It changes nothing about a request.

mod pace;
#[cfg(test)]
mod tests;

use headworks_sdk::prelude::*;

/// The label of times when they are not told apart by model. A metric keeps its
/// labels for as long as the gateway runs, so it cannot go without.
const ALL: &str = "all";

/// What is told apart.
#[config]
pub struct Config {
    #[serde(default = "yes")]
    per_model: bool,
}

/// The filter.
pub struct Telemetry {
    total: Counter,
    statuses: Counter,
    errors: Counter,
    latency: Timer,
    first_token: Timer,
    time_per_token: Timer,
    models: Option<Models>,
}

/// What is counted for each model.
struct Models {
    requests: Counter,
    input_tokens: Counter,
    output_tokens: Counter,
}

#[filter]
impl Filter for Telemetry {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, Problems> {
        Ok(Self {
            total: Counter::new("requests.total", &[]),
            statuses: Counter::new("requests.status.{status}", &["status"]),
            errors: Counter::new("requests.errors.{end}", &["end"]),
            latency: Timer::new("request.latency", &["model"]),
            first_token: Timer::new("request.first_token", &["model"]),
            time_per_token: Timer::new("request.time_per_token", &["model"]),
            models: config.per_model.then(Models::new),
        })
    }

    fn on_complete(&self, request: &Request, outcome: &Outcome) {
        self.count(outcome);
        let Some(models) = &self.models else {
            return self.time(request, outcome, ALL);
        };
        let model = request.model_label();
        models.count(outcome, &model);
        self.time(request, outcome, &model);
    }
}

impl Telemetry {
    fn count(&self, outcome: &Outcome) {
        self.total.increment(&[]);
        match outcome.status() {
            0 => self.statuses.increment(&["none"]),
            status => self.statuses.increment(&[&status.to_string()]),
        }
        let end = outcome.end();
        if end != End::Ok {
            self.errors.increment(&[end.as_str()]);
        }
    }

    fn time(&self, request: &Request, outcome: &Outcome, model: &str) {
        // A refusal takes no time: among answers it would hide that they are slow.
        if !outcome.was_placed() {
            return;
        }
        self.latency.record(outcome.latency(), &[model]);
        let Some(ttft) = outcome.ttft() else { return };
        self.first_token.record(ttft, &[model]);
        // Only a stream shows when its tokens come.
        if !request.streaming() {
            return;
        }
        let pace = pace::per_token(ttft, outcome.latency(), outcome.output_tokens());
        if let Some(pace) = pace {
            self.time_per_token.record(pace, &[model]);
        }
    }
}

impl Models {
    fn new() -> Self {
        let counter = |name| Counter::new(name, &["model"]);
        Self {
            requests: counter("requests.model.{model}"),
            input_tokens: counter("requests.model.{model}.input_tokens"),
            output_tokens: counter("requests.model.{model}.output_tokens"),
        }
    }

    fn count(&self, outcome: &Outcome, model: &str) {
        self.requests.increment(&[model]);
        // What never reached an endpoint cost no tokens, however long its prompt.
        if outcome.was_placed() {
            let (input, output) = (outcome.input_tokens(), outcome.output_tokens());
            self.input_tokens.add(input.into(), &[model]);
            self.output_tokens.add(output.into(), &[model]);
        }
    }
}

fn yes() -> bool {
    true
}
