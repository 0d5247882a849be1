//! Which card and model the stub plays: what one pass costs and how much fits.

use std::time::Duration;

use clap::ValueEnum;

/// A card with a model on it. The figures are fits to published measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Profile {
    /// A card of the 900 GB/s class; the acceptance runs use it
    Fast12,
    /// Qwen2 7B INT4 on an RTX 3060 12 GB
    #[value(name = "rtx3060-qwen2-7b-int4")]
    Rtx3060Qwen2,
    /// Llama 3.1 8B INT4 on an RTX 3060 12 GB
    #[value(name = "rtx3060-llama31-8b-int4")]
    Rtx3060Llama31,
    /// Llama 3.1 8B INT4 on an RTX 3080 12 GB
    #[value(name = "rtx3080-12-llama31-8b-int4")]
    Rtx3080Llama31,
    /// One of several models on one RTX 3060; see `--group`
    SharedGpu,
    /// As fast12, but costs add up linearly
    Linear,
    /// Passes take no time: a token is there as soon as it is read
    #[default]
    Instant,
}

impl Profile {
    /// The figures of this profile.
    pub fn timing(self) -> Timing {
        let (step_ms, token_ms, kv_us, kv_tokens) = match self {
            Self::Fast12 | Self::Linear => (7.5, 0.25, 0.15, 30_000),
            Self::Rtx3060Qwen2 => (16.5, 0.50, 0.23, 60_000),
            Self::Rtx3060Llama31 => (17.5, 0.52, 0.50, 30_000),
            Self::Rtx3080Llama31 => (8.9, 0.26, 0.20, 30_000),
            Self::SharedGpu => (16.5, 0.50, 0.23, 4_000),
            Self::Instant => (0.0, 0.0, 0.0, 30_000),
        };
        Timing {
            step: step_ms / 1e3,
            token: token_ms / 1e3,
            kv: kv_us / 1e6,
            linear: self == Self::Linear,
            max_batch_total_tokens: kv_tokens,
            max_batch_prefill_tokens: 4_096,
        }
    }
}

/// What a pass works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Sequences that get their next token.
    pub decoding: u32,
    /// Prompt tokens that are read.
    pub prompt_tokens: u32,
    /// Tokens of context that the decoding sequences attend to.
    pub context_tokens: u64,
}

impl Load {
    /// Nothing to do.
    pub fn is_empty(&self) -> bool {
        self.decoding == 0 && self.prompt_tokens == 0
    }
}

/// The cost of a pass, in seconds, and the room on the card, in tokens.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Reading the weights once.
    pub step: f64,
    /// Computing one token, of a prompt or of an answer.
    pub token: f64,
    /// Reading one token of context.
    pub kv: f64,
    /// Costs add up, instead of the larger one hiding the smaller.
    pub linear: bool,
    /// Tokens of context that fit, prompts and answers together.
    pub max_batch_total_tokens: u32,
    /// Prompt tokens that one pass reads at most.
    pub max_batch_prefill_tokens: u32,
}

impl Timing {
    /// Seconds that a pass over `load` takes, before jitter.
    pub fn seconds(&self, load: Load) -> f64 {
        let memory = self.step + self.kv * load.context_tokens as f64;
        let compute = self.token * f64::from(load.decoding + load.prompt_tokens);
        if self.linear {
            memory + compute
        } else {
            memory.hypot(compute)
        }
    }

    /// How long a pass over `load` takes, with `noise` drawn from N(0, 1).
    pub fn pass(&self, load: Load, noise: f64) -> Duration {
        const JITTER: f64 = 0.03;
        Duration::from_secs_f64(self.seconds(load) * (1.0 + JITTER * noise).max(0.0))
    }

    /// Passes take no time.
    pub fn is_instant(&self) -> bool {
        self.step == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_slows_a_step_as_published() {
        let timing = Profile::Fast12.timing();
        let step = |decoding| {
            timing.seconds(Load {
                decoding,
                ..Load::default()
            })
        };
        for (batch, published) in [(4, 1.01), (8, 1.05), (16, 1.18), (32, 1.60), (64, 2.69)] {
            // The published shape has c/t0 = 0.039, this profile 0.033.
            let ratio = step(batch) / step(1);
            assert!(
                (ratio / published - 1.0).abs() < 0.15,
                "batch {batch}: {ratio:.2} against {published}"
            );
        }
    }

    #[test]
    fn the_linear_profile_adds_costs_up() {
        let load = Load {
            decoding: 30,
            prompt_tokens: 0,
            context_tokens: 0,
        };
        assert!((Profile::Linear.timing().seconds(load) - 0.015).abs() < 1e-9);
    }
}
