//! `upstreams`: how pools and their endpoints stand.

use std::time::Instant;

use wasmtime::Result;

use super::super::bindings::types::Candidate;
use super::super::bindings::upstreams::Host;
use super::super::state::State;

impl Host for State {
    fn pools(&mut self) -> Result<Vec<String>> {
        Ok(self.scope.pools.names().map(ToString::to_string).collect())
    }

    /// For the request at hand, once it is known what it asks of an endpoint.
    fn snapshot(&mut self, pool: String) -> Result<Vec<Candidate>> {
        let exchange = self.exchange.as_ref();
        let demand = exchange.and_then(|exchange| exchange.demand.as_ref());
        let pool = self.scope.pools.get(&pool);
        let candidates = pool.map(|pool| pool.candidates(demand, Instant::now()));
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
