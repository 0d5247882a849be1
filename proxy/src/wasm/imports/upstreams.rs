//! `upstreams`: how pools and their endpoints stand.

use wasmtime::Result;

use super::super::bindings::types::Candidate;
use super::super::bindings::upstreams::Host;
use super::super::state::State;

impl Host for State {
    fn pools(&mut self) -> Result<Vec<String>> {
        Ok(self.scope.pools.names().map(ToString::to_string).collect())
    }

    /// For a request of the size of the one at hand, if there is one.
    fn snapshot(&mut self, pool: String) -> Result<Vec<Candidate>> {
        let call = self.exchange.as_ref().map(|exchange| &exchange.call);
        let new = call.and_then(crate::api::Call::max_new_tokens).unwrap_or(0);
        let candidates = self.scope.pools.get(&pool).map(|pool| pool.candidates(new));
        Ok(candidates
            .unwrap_or_default()
            .into_iter()
            .map(Candidate::from)
            .collect())
    }

    fn endpoint_name(&mut self, pool: String, id: u32) -> Result<Option<String>> {
        let pool = self.scope.pools.get(&pool);
        Ok(pool
            .and_then(|pool| pool.endpoint_name(id))
            .map(|name| name.to_string()))
    }
}
