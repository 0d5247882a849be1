//! `store`: what the instances of a filter share.

use std::time::{Duration, Instant};

use wasmtime::Result;

use super::super::bindings::store::Host;
use super::super::failure::BadCall;
use super::super::state::State;

impl Host for State {
    fn get(&mut self, key: String) -> Result<Option<Vec<u8>>> {
        Ok(self.scope.store.get(&key, Instant::now()))
    }

    fn set(&mut self, key: String, value: Vec<u8>, ttl_ms: u32) -> Result<()> {
        let set = self
            .scope
            .store
            .set(&key, value, ttl(ttl_ms), Instant::now());
        Ok(set.map_err(BadCall::of)?)
    }

    fn increment(&mut self, key: String, by: i64, ttl_ms: u32) -> Result<i64> {
        let sum = self
            .scope
            .store
            .increment(&key, by, ttl(ttl_ms), Instant::now());
        Ok(sum.map_err(BadCall::of)?)
    }
}

fn ttl(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}
