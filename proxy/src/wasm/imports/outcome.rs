//! `outcome`: how the exchange of the call ended.

use wasmtime::Result;

use super::super::bindings::outcome::{Facts, Host};
use super::super::state::State;
use super::micros;
use super::request::pool;
use crate::exchange::Exchange;
use crate::outcome::End;

impl Host for State {
    fn end(&mut self) -> Result<String> {
        Ok(self.exchange()?.outcome.end.as_str().to_owned())
    }

    fn pool(&mut self) -> Result<Option<String>> {
        Ok(pool(self.exchange()?))
    }

    fn endpoint(&mut self) -> Result<Option<String>> {
        let endpoint = self.exchange()?.outcome.endpoint.as_deref();
        Ok(endpoint.map(str::to_owned))
    }
}

/// The numbers of how an exchange ended.
pub(in super::super) fn facts(exchange: &Exchange) -> Facts {
    let outcome = &exchange.outcome;
    Facts {
        status: outcome.status,
        ok: outcome.end == End::Ok,
        was_placed: outcome.endpoint.is_some(),
        input_tokens: exchange.input_tokens(),
        output_tokens: outcome.output_tokens,
        ttft_us: outcome.ttft().map(micros),
        latency_us: micros(outcome.latency),
        queued_us: micros(outcome.queued),
    }
}
