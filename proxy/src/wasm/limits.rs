//! How much memory an instance may have. Growth beyond it ends the call with
//! an error that says so; a guest that is refused memory would merely abort.

use wasmtime::{Error, ResourceLimiter, Result};

use super::engine::TABLE_ELEMENTS;

/// The memory of one instance, all its linear memories together.
pub(super) struct MemoryCap {
    used: usize,
    limit: usize,
}

/// More memory was asked for than there may be.
#[derive(Debug, thiserror::Error)]
#[error("needs {wanted} bytes of memory, and `max_memory` is {limit}")]
pub(super) struct OverMemory {
    wanted: usize,
    limit: usize,
}

impl MemoryCap {
    /// At most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { used: 0, limit }
    }

    fn over(&self, wanted: usize) -> Error {
        OverMemory {
            wanted,
            limit: self.limit,
        }
        .into()
    }
}

impl ResourceLimiter for MemoryCap {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        let wanted = self.used.saturating_add(desired.saturating_sub(current));
        if wanted > self.limit || maximum.is_some_and(|maximum| desired > maximum) {
            return Err(self.over(wanted));
        }
        self.used = wanted;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        Err(error.context(self.over(self.used)))
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}
