//! `exchange.outcome`: how the exchange in the store ended.

use wasmtime::Result;
use wasmtime::component::Resource;

use super::super::bindings::exchange::{HostOutcome, Outcome};
use super::super::state::State;
use super::micros;
use super::request::pool;

type This = Resource<Outcome>;

impl HostOutcome for State {
    fn status(&mut self, _: This) -> Result<u16> {
        Ok(self.exchange()?.outcome.status)
    }

    fn end(&mut self, _: This) -> Result<String> {
        Ok(self.exchange()?.outcome.end.as_str().to_owned())
    }

    fn pool(&mut self, _: This) -> Result<Option<String>> {
        Ok(pool(self.exchange()?))
    }

    fn endpoint(&mut self, _: This) -> Result<Option<String>> {
        Ok(self
            .exchange()?
            .outcome
            .endpoint
            .as_deref()
            .map(str::to_owned))
    }

    fn input_tokens(&mut self, _: This) -> Result<u32> {
        Ok(self.exchange()?.input_tokens())
    }

    fn output_tokens(&mut self, _: This) -> Result<u32> {
        Ok(self.exchange()?.outcome.output_tokens)
    }

    fn ttft_us(&mut self, _: This) -> Result<Option<u64>> {
        Ok(self.exchange()?.outcome.ttft().map(micros))
    }

    fn latency_us(&mut self, _: This) -> Result<u64> {
        Ok(micros(self.exchange()?.outcome.latency))
    }

    fn queued_us(&mut self, _: This) -> Result<u64> {
        Ok(micros(self.exchange()?.outcome.queued))
    }

    fn drop(&mut self, _: This) -> Result<()> {
        Ok(())
    }
}
