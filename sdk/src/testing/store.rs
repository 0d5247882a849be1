//! The shared key-value state, on the clock of the test.

use std::collections::BTreeMap;
use std::time::Duration;

/// Entries by key; one that has expired is as good as gone.
#[derive(Default)]
pub(crate) struct Store(BTreeMap<String, Entry>);

struct Entry {
    value: Vec<u8>,
    /// When it ends, on the monotonic clock; never when none.
    end: Option<Duration>,
}

impl Store {
    pub(crate) fn get(&self, key: &str, now: Duration) -> Option<&[u8]> {
        let entry = self.0.get(key)?;
        let over = entry.end.is_some_and(|end| end <= now);
        (!over).then_some(&entry.value)
    }

    pub(crate) fn set(&mut self, key: &str, value: &[u8], ttl_ms: u32, now: Duration) {
        let end = (ttl_ms > 0).then(|| now + Duration::from_millis(ttl_ms.into()));
        self.0.insert(
            key.to_owned(),
            Entry {
                value: value.to_vec(),
                end,
            },
        );
    }

    /// # Panics
    /// When the key has a value that is no number.
    pub(crate) fn increment(&mut self, key: &str, by: i64, ttl_ms: u32, now: Duration) -> i64 {
        let Some(number) = self.get(key, now) else {
            self.set(key, &by.to_le_bytes(), ttl_ms, now);
            return by;
        };
        let Ok(number) = number.try_into().map(i64::from_le_bytes) else {
            panic!("`{key}` of the store is not a number, so it cannot be incremented");
        };
        let sum = number.saturating_add(by);
        if let Some(entry) = self.0.get_mut(key) {
            entry.value = sum.to_le_bytes().to_vec();
        }
        sum
    }
}
