//! `exchange.outcome`: how the exchange in the store ended.

use wasmtime::Result;
use wasmtime::component::Resource;

use super::super::bindings::exchange::{Facts, HostOutcome, Outcome};
use super::super::state::State;
use super::micros;
use super::request::pool;
use crate::outcome::End;

type This = Resource<Outcome>;

impl HostOutcome for State {
    fn facts(&mut self, _: This) -> Result<Facts> {
        let exchange = self.exchange()?;
        let outcome = &exchange.outcome;
        Ok(Facts {
            status: outcome.status,
            ok: outcome.end == End::Ok,
            was_placed: outcome.endpoint.is_some(),
            input_tokens: exchange.input_tokens(),
            output_tokens: outcome.output_tokens,
            ttft_us: outcome.ttft().map(micros),
            latency_us: micros(outcome.latency),
            queued_us: micros(outcome.queued),
        })
    }

    fn end(&mut self, _: This) -> Result<String> {
        Ok(self.exchange()?.outcome.end.as_str().to_owned())
    }

    fn pool(&mut self, _: This) -> Result<Option<String>> {
        Ok(pool(self.exchange()?))
    }

    fn endpoint(&mut self, _: This) -> Result<Option<String>> {
        let endpoint = self.exchange()?.outcome.endpoint.as_deref();
        Ok(endpoint.map(str::to_owned))
    }

    fn drop(&mut self, _: This) -> Result<()> {
        Ok(())
    }
}
