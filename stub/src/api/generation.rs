//! One answer in the making: its slot, its place on the card and its script.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::app::App;
use super::error::ApiError;
use super::incoming::Context;
use super::openai::finish::success_label;
use super::openai::room::room;
use super::parameters::{Parameters, Room};
use crate::batch::prompt_blocks;
use crate::engine::{Order, Ticket};
use crate::faults::Kind;
use crate::metrics::Scale;
use crate::options::Dialect;
use crate::script::{self, Script, Stop};

/// Dropping it frees the slot at once and the place at the next pass.
pub(super) struct Generation {
    pub(super) script: Script,
    pub(super) ticket: Ticket,
    /// Tokens of the prompt.
    pub(super) prompt_tokens: u32,
    /// Shown in details: greedy answers have none.
    pub(super) seed: Option<u64>,
    started: Instant,
    _slot: OwnedSemaphorePermit,
}

/// How long the parts of a generation took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) total: Duration,
    pub(super) validation: Duration,
    pub(super) queue: Duration,
    pub(super) inference: Duration,
    pub(super) per_token: Duration,
}

impl App {
    /// Takes a slot, validates and queues, in this order as the original does.
    pub(super) fn admit(
        &self,
        prompt: &str,
        parameters: &Parameters,
        context: &Context,
        streams: bool,
    ) -> Result<Generation, ApiError> {
        self.try_admit(prompt, parameters, context, streams)
            .inspect_err(|error| {
                self.stats.refused.add_one();
                self.metrics
                    .count("tgi_request_failure", error.metric_label());
            })
    }

    fn try_admit(
        &self,
        prompt: &str,
        parameters: &Parameters,
        context: &Context,
        streams: bool,
    ) -> Result<Generation, ApiError> {
        let started = Instant::now();
        let limits = &self.options.limits;
        parameters.check_shape(streams, limits)?;
        if context.fault == Some(Kind::Refuse) {
            return Err(ApiError::Overloaded);
        }
        let slot = take_slot(&self.slots)?;
        let room = match self.options.dialect {
            Dialect::Tgi => parameters.check(prompt, context.forced_input, limits)?,
            Dialect::OpenAi => room(parameters, prompt, context.forced_input, limits)?,
        };
        self.metrics.observe(
            "tgi_request_input_length",
            "",
            tokens_scale(self),
            f64::from(room.input),
        );
        self.metrics.observe(
            "tgi_request_max_new_tokens",
            "",
            tokens_scale(self),
            f64::from(room.max_new),
        );
        let seed = parameters
            .seed
            .unwrap_or(self.options.seed.wrapping_add(context.candidate));
        let script = self.write_script(prompt, parameters, context, room, seed);
        let ticket = self.engine.submit(Order {
            input: room.input,
            output: script.length(),
            max_new: room.max_new,
            blocks: prompt_blocks(prompt.as_bytes(), room.input),
        });
        let seed = parameters.samples().then_some(seed);
        Ok(Generation {
            script,
            ticket,
            prompt_tokens: room.input,
            seed,
            started,
            _slot: slot,
        })
    }

    fn write_script(
        &self,
        prompt: &str,
        parameters: &Parameters,
        context: &Context,
        room: Room,
        seed: u64,
    ) -> Script {
        let seed = script::seed_of(prompt, seed);
        let length = context
            .forced_output
            .unwrap_or_else(|| script::natural_length(seed));
        Script::new(
            self.name.clone(),
            seed,
            length,
            room.max_new,
            &Stop {
                sequences: parameters.stop.clone(),
                rule: parameters.stop_rule,
            },
        )
    }
}

fn take_slot(slots: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ApiError> {
    slots
        .clone()
        .try_acquire_owned()
        .map_err(|_| ApiError::Overloaded)
}

fn tokens_scale(app: &App) -> Scale {
    Scale::Tokens(app.options.limits.max_total_tokens)
}

impl Generation {
    /// Records the answer as told to its end.
    pub(super) fn succeeded(&self, app: &App) -> Times {
        let tokens = self.script.length();
        let (now, joined, queued) = (
            Instant::now(),
            self.ticket.joined(),
            self.ticket.submitted(),
        );
        let inference = now - joined;
        let times = Times {
            total: now - self.started,
            validation: queued - self.started,
            queue: joined - queued,
            inference,
            per_token: inference / tokens,
        };
        app.stats.finished.add_one();
        let metrics = &app.metrics;
        let label = match app.options.dialect {
            Dialect::Tgi => "",
            Dialect::OpenAi => success_label(self.script.finish()),
        };
        metrics.count("tgi_request_success", label);
        for (name, took) in [
            ("tgi_request_duration", times.total),
            ("tgi_request_validation_duration", times.validation),
            ("tgi_request_queue_duration", times.queue),
            ("tgi_request_inference_duration", times.inference),
            ("tgi_request_mean_time_per_token_duration", times.per_token),
        ] {
            metrics.observe(name, "", Scale::Seconds, took.as_secs_f64());
        }
        metrics.observe(
            "tgi_request_generated_tokens",
            "",
            tokens_scale(app),
            f64::from(tokens),
        );
        times
    }
}
