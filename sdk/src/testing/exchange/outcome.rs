//! The outcome that `on_complete` is given.

use crate::End;
use crate::testing::Ended;
use crate::units::micros;

/// How a mock exchange ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) ended: Ended,
    pub(crate) pool: Option<String>,
}

/// The contract's record of the same name.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) status: u16,
    pub(crate) ok: bool,
    pub(crate) was_placed: bool,
    pub(crate) input_tokens: u32,
    pub(crate) output_tokens: u32,
    pub(crate) ttft_us: Option<u64>,
    pub(crate) latency_us: u64,
    pub(crate) queued_us: u64,
}

impl Outcome {
    pub(crate) fn facts(&self) -> Facts {
        let ended = &self.ended;
        Facts {
            status: ended.status,
            ok: ended.end == End::Ok,
            was_placed: ended.endpoint.is_some(),
            input_tokens: ended.input_tokens,
            output_tokens: ended.output_tokens,
            ttft_us: ended.ttft.map(micros),
            latency_us: micros(ended.latency),
            queued_us: micros(ended.queued),
        }
    }

    pub(crate) fn end(&self) -> String {
        self.ended.end.as_str().to_owned()
    }

    pub(crate) fn pool(&self) -> Option<String> {
        self.pool.clone()
    }

    pub(crate) fn endpoint(&self) -> Option<String> {
        self.ended.endpoint.clone()
    }
}
