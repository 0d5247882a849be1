//! What a server is started with, and what cannot be started.

use std::net::{IpAddr, Ipv4Addr};

use clap::ValueEnum;
use serde::Serialize;
use thiserror::Error;

use crate::faults::Fault;
use crate::profile::{Profile, Timing};

/// How to start a server. The default answers at once, on a free loopback port.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Addresses beyond loopback are meant.
    pub allow_remote: bool,
    /// The protocol it speaks.
    pub dialect: Dialect,
    /// The model's name, in `/info` and at the start of every answer.
    pub model_id: String,
    /// The card it runs on.
    pub profile: Profile,
    /// Simulated seconds per real second.
    pub speed: f64,
    /// Decides lengths, words and jitter where a request brings no seed.
    pub seed: u64,
    /// Name of the card that `shared-gpu` servers share.
    pub group: String,
    /// Asked as `Authorization: Bearer` on the generating routes.
    pub api_key: Option<String>,
    /// Bounds of requests.
    pub limits: Limits,
    /// Faults from the start on.
    pub faults: Vec<Fault>,
}

/// Whose protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Dialect {
    /// Text-generation-inference, with the OpenAI routes that it has
    #[default]
    Tgi,
    /// vLLM's OpenAI server
    #[value(name = "openai")]
    OpenAi,
}

/// Bounds of requests; `/info` shows most of them.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Limits {
    /// Requests at a time; TGI refuses more, vLLM lets them wait.
    pub max_concurrent_requests: usize,
    /// Candidates of one request.
    pub max_best_of: usize,
    /// Stop sequences of one request.
    pub max_stop_sequences: usize,
    /// Alternatives shown for each token.
    #[serde(skip)]
    pub max_top_n_tokens: u32,
    /// Tokens of a prompt.
    pub max_input_tokens: u32,
    /// Tokens of prompt and answer; vLLM's `max_model_len`.
    pub max_total_tokens: u32,
    /// Prompts of one request to `/v1/completions`.
    pub max_client_batch_size: usize,
    /// Bytes of a body.
    #[serde(skip)]
    pub payload_limit: usize,
}

impl Limits {
    /// The defaults of the original, on a card with the given room.
    pub fn for_card(timing: &Timing) -> Self {
        let max_total_tokens = timing.max_batch_total_tokens.min(8_192);
        Self {
            max_concurrent_requests: 128,
            max_best_of: 2,
            max_stop_sequences: 4,
            max_top_n_tokens: 5,
            max_input_tokens: max_total_tokens - 1,
            max_total_tokens,
            max_client_batch_size: 4,
            payload_limit: 2_000_000,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::for_profile(Profile::default())
    }
}

impl Options {
    /// Options for a card, with the limits that suit it.
    pub fn for_profile(profile: Profile) -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            allow_remote: false,
            dialect: Dialect::default(),
            model_id: "stub-model".to_owned(),
            profile,
            speed: 1.0,
            seed: 0,
            group: "default".to_owned(),
            api_key: None,
            limits: Limits::for_card(&profile.timing()),
            faults: Vec::new(),
        }
    }

    /// As the default, under the given name.
    pub fn named(model_id: &str) -> Self {
        Self {
            model_id: model_id.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        let room = self.profile.timing().max_batch_total_tokens;
        let Limits {
            max_input_tokens,
            max_total_tokens,
            max_concurrent_requests,
            ..
        } = self.limits;
        if !self.host.is_loopback() && !self.allow_remote {
            return Err(StartError::Remote(self.host));
        }
        if !(self.speed.is_finite() && self.speed > 0.0) {
            return Err(StartError::Speed(self.speed));
        }
        if max_concurrent_requests == 0 {
            return Err(StartError::NoRequests);
        }
        if max_total_tokens > room {
            return Err(StartError::TooLarge {
                max_total_tokens,
                room,
            });
        }
        if max_input_tokens == 0 || max_input_tokens >= max_total_tokens {
            return Err(StartError::NoRoomForAnswer {
                max_input_tokens,
                max_total_tokens,
            });
        }
        Ok(())
    }
}

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address is not loopback.
    #[error("host {0} can be reached from outside, use a loopback address or allow remote clients")]
    Remote(IpAddr),
    /// Time would stand still or run backwards.
    #[error("speed must be a number greater than 0, got {0}")]
    Speed(f64),
    /// Every request would be refused.
    #[error("max_concurrent_requests must be at least 1")]
    NoRequests,
    /// A request could never be admitted.
    #[error("max_total_tokens {max_total_tokens} does not fit the card, which holds {room} tokens")]
    TooLarge {
        /// What was asked.
        max_total_tokens: u32,
        /// What fits.
        room: u32,
    },
    /// The largest prompt leaves nothing for an answer.
    #[error(
        "max_input_tokens must be from 1 to max_total_tokens - 1 ({max_total_tokens} - 1), got {max_input_tokens}"
    )]
    NoRoomForAnswer {
        /// What was asked.
        max_input_tokens: u32,
        /// The bound.
        max_total_tokens: u32,
    },
    /// The group cannot be joined.
    #[error("cannot join the group `{0}`")]
    Group(String, #[source] std::io::Error),
    /// The address is taken, or a thread could not be started.
    #[error("cannot serve on {0}")]
    Serve(std::net::SocketAddr, #[source] std::io::Error),
}
