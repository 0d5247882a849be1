//! The command line.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use headworks_stub::{Dialect, Faults, Options, Profile};

/// A TGI or vLLM model server without a model: the real protocol over continuous
/// batching in simulated time.
///
/// Prints `listening on http://HOST:PORT` when it answers. Faults are added with
/// `POST /_fault`, counters read with `GET /_stats`.
#[derive(Debug, Parser)]
#[command(name = "headworks-stub", version)]
pub(crate) struct Args {
    /// Address to listen on; only loopback without --allow-remote
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Allow a --host that others can reach
    #[arg(long)]
    allow_remote: bool,
    /// Whose protocol to speak
    #[arg(long, value_enum, default_value_t = Dialect::Tgi)]
    dialect: Dialect,
    /// Name of the model, shown in /info and at the start of every answer
    #[arg(long, default_value = "stub-model", value_name = "ID")]
    model_id: String,
    /// Card and model to play
    #[arg(long, value_enum, default_value_t = Profile::Fast12)]
    profile: Profile,
    /// Simulated seconds per real second
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Decides lengths, words and jitter; a request's own seed goes first
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Servers of the profile shared-gpu with the same name share one card
    #[arg(long, default_value = "default", value_name = "NAME")]
    group: String,
    /// Ask for this key on the generating routes
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// Requests at a time, more are answered 429 by TGI and wait with vLLM [default: 128]
    #[arg(long, value_name = "N")]
    max_concurrent_requests: Option<usize>,
    /// Tokens of a prompt [default: one less than --max-total-tokens]
    #[arg(long, value_name = "TOKENS")]
    max_input_tokens: Option<u32>,
    /// Tokens of prompt and answer [default: 8192, or what the card holds]
    #[arg(long, value_name = "TOKENS")]
    max_total_tokens: Option<u32>,
    /// Bytes of a request's body [default: 2000000]
    #[arg(long, value_name = "BYTES")]
    payload_limit: Option<usize>,
    /// JSON list of faults, as POST /_fault takes them; times count from the start
    #[arg(long, value_name = "FILE")]
    fault_file: Option<PathBuf>,
    /// Check the batcher against its specification, print the figures and exit
    #[arg(long)]
    pub(crate) self_check: bool,
}

impl Args {
    /// The options these arguments mean.
    pub(crate) fn options(self) -> anyhow::Result<Options> {
        let mut options = Options {
            host: self.host,
            port: self.port,
            allow_remote: self.allow_remote,
            dialect: self.dialect,
            model_id: self.model_id,
            speed: self.speed,
            seed: self.seed,
            group: self.group,
            api_key: self.api_key,
            ..Options::for_profile(self.profile)
        };
        let limits = &mut options.limits;
        set(
            &mut limits.max_concurrent_requests,
            self.max_concurrent_requests,
        );
        set(&mut limits.max_total_tokens, self.max_total_tokens);
        limits.max_input_tokens = self
            .max_input_tokens
            .unwrap_or(limits.max_total_tokens.saturating_sub(1));
        set(&mut limits.payload_limit, self.payload_limit);
        if let Some(file) = self.fault_file {
            let text = fs::read(&file)
                .with_context(|| format!("cannot read the faults in {}", file.display()))?;
            let faults: Faults = serde_json::from_slice(&text)
                .with_context(|| format!("{} is not a list of faults", file.display()))?;
            options.faults = faults.into_iter().collect();
        }
        Ok(options)
    }
}

fn set<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}
