//! The outcome that `on_complete` is given.

use crate::testing::Ended;
use crate::units::micros;

/// How a mock exchange ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) ended: Ended,
    pub(crate) pool: Option<String>,
}

impl Outcome {
    pub(crate) fn status(&self) -> u16 {
        self.ended.status
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

    pub(crate) fn input_tokens(&self) -> u32 {
        self.ended.input_tokens
    }

    pub(crate) fn output_tokens(&self) -> u32 {
        self.ended.output_tokens
    }

    pub(crate) fn ttft_us(&self) -> Option<u64> {
        self.ended.ttft.map(micros)
    }

    pub(crate) fn latency_us(&self) -> u64 {
        micros(self.ended.latency)
    }

    pub(crate) fn queued_us(&self) -> u64 {
        micros(self.ended.queued)
    }
}
