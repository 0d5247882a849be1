//! What the instances of one filter share: keys with values that expire. It is
//! bounded; the entries that expire first go first, those that never do last.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Most entries of one filter.
const ENTRIES: usize = 65_536;

/// Most bytes of one filter, keys and values together.
const BYTES: usize = 16 << 20;

/// The entries of one filter.
#[derive(Default)]
pub(super) struct KeyValue(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    by_key: HashMap<Arc<str>, Entry>,
    /// The first is the next to go.
    by_turn: BTreeMap<Turn, Arc<str>>,
    bytes: usize,
    added: u64,
}

struct Entry {
    value: Vec<u8>,
    turn: Turn,
}

/// When an entry goes; of those that go together, the older goes first.
type Turn = (End, u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    At(Instant),
    Never,
}

/// Why a value cannot be used as asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyValueError {
    #[error("the store's `{0}` is not a number of 8 bytes and cannot be incremented")]
    NotANumber(String),
    #[error("an entry of {0} bytes is more than the whole store may hold, {BYTES} bytes")]
    TooLarge(usize),
}

impl KeyValue {
    /// The value of a key, unless it expired.
    pub(super) fn get(&self, key: &str, now: Instant) -> Option<Vec<u8>> {
        Some(self.0.lock().live(key, now)?.value.clone())
    }

    /// Sets a value, for as long as there is room if `ttl` is zero.
    pub(super) fn set(
        &self,
        key: &str,
        value: Vec<u8>,
        ttl: Duration,
        now: Instant,
    ) -> Result<(), KeyValueError> {
        self.0.lock().set(key, value, end(ttl, now), now)
    }

    /// Adds to a number and returns the sum; `ttl` counts from the first
    /// addition. The number is kept as an `i64`, little-endian.
    pub(super) fn increment(
        &self,
        key: &str,
        by: i64,
        ttl: Duration,
        now: Instant,
    ) -> Result<i64, KeyValueError> {
        let mut entries = self.0.lock();
        let Some(entry) = entries.live(key, now) else {
            entries.set(key, by.to_le_bytes().to_vec(), end(ttl, now), now)?;
            return Ok(by);
        };
        let number = <&mut [u8; 8]>::try_from(entry.value.as_mut_slice());
        let number = number.map_err(|_| KeyValueError::NotANumber(key.to_owned()))?;
        let sum = i64::from_le_bytes(*number).saturating_add(by);
        *number = sum.to_le_bytes();
        Ok(sum)
    }
}

impl Entries {
    fn live(&mut self, key: &str, now: Instant) -> Option<&mut Entry> {
        self.by_key
            .get_mut(key)
            .filter(|entry| !entry.turn.0.is_over(now))
    }

    fn set(
        &mut self,
        key: &str,
        value: Vec<u8>,
        end: End,
        now: Instant,
    ) -> Result<(), KeyValueError> {
        let size = key.len() + value.len();
        if size > BYTES {
            return Err(KeyValueError::TooLarge(size));
        }
        self.remove(key);
        self.make_room(size, now);
        let key: Arc<str> = key.into();
        self.added += 1;
        let turn = (end, self.added);
        self.by_turn.insert(turn, Arc::clone(&key));
        self.by_key.insert(key, Entry { value, turn });
        self.bytes += size;
        Ok(())
    }

    fn make_room(&mut self, size: usize, now: Instant) {
        while let Some((turn, key)) = self.by_turn.first_key_value() {
            let full = self.by_key.len() >= ENTRIES || self.bytes + size > BYTES;
            if !full && !turn.0.is_over(now) {
                return;
            }
            let key = Arc::clone(key);
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.by_key.remove(key) {
            self.by_turn.remove(&entry.turn);
            self.bytes -= key.len() + entry.value.len();
        }
    }
}

impl End {
    fn is_over(self, now: Instant) -> bool {
        matches!(self, Self::At(end) if end <= now)
    }
}

fn end(ttl: Duration, now: Instant) -> End {
    if ttl.is_zero() {
        End::Never
    } else {
        End::At(now + ttl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_value_is_there_until_it_expires() {
        let (store, now) = (KeyValue::default(), Instant::now());
        store.set("brief", b"1".to_vec(), SECOND, now).unwrap();
        store
            .set("for good", b"2".to_vec(), Duration::ZERO, now)
            .unwrap();
        assert_eq!(store.get("brief", now), Some(b"1".to_vec()));
        assert_eq!(store.get("brief", now + SECOND), None);
        assert_eq!(
            store.get("for good", now + SECOND * 1_000_000),
            Some(b"2".to_vec())
        );
        assert_eq!(store.get("never set", now), None);
    }

    #[test]
    fn a_count_expires_by_its_first_addition() {
        let (store, now) = (KeyValue::default(), Instant::now());
        assert_eq!(store.increment("hits", 2, SECOND, now), Ok(2));
        assert_eq!(
            store.increment("hits", -5, SECOND, now + SECOND / 2),
            Ok(-3)
        );
        assert_eq!(store.increment("hits", 1, SECOND, now + SECOND), Ok(1));
        assert_eq!(
            store.get("hits", now + SECOND),
            Some(1_i64.to_le_bytes().to_vec())
        );
    }

    #[test]
    fn text_is_not_incremented() {
        let (store, now) = (KeyValue::default(), Instant::now());
        store.set("name", b"x".to_vec(), SECOND, now).unwrap();
        let error = store.increment("name", 1, SECOND, now).unwrap_err();
        assert_eq!(error, KeyValueError::NotANumber("name".to_owned()));
    }

    #[test]
    fn what_expires_first_makes_room() {
        let (store, now) = (KeyValue::default(), Instant::now());
        store
            .set("for good", Vec::new(), Duration::ZERO, now)
            .unwrap();
        store.set("brief", Vec::new(), SECOND, now).unwrap();
        for key in 2..ENTRIES {
            store
                .set(&key.to_string(), Vec::new(), SECOND * 9, now)
                .unwrap();
        }
        assert!(store.get("brief", now).is_some());
        store.set("one more", Vec::new(), SECOND * 9, now).unwrap();
        assert!(store.get("brief", now).is_none());
        assert!(store.get("for good", now).is_some());
    }

    #[test]
    fn bytes_are_bounded_and_counted_rightly() {
        let (store, now) = (KeyValue::default(), Instant::now());
        let third = vec![0; BYTES / 3];
        for key in ["a", "b", "a", "c"] {
            store.set(key, third.clone(), Duration::ZERO, now).unwrap();
        }
        assert!(
            store.get("b", now).is_none(),
            "the oldest goes when all last for ever"
        );
        assert!(store.get("a", now).is_some() && store.get("c", now).is_some());
        let error = store
            .set("d", vec![0; BYTES], Duration::ZERO, now)
            .unwrap_err();
        assert_eq!(error, KeyValueError::TooLarge(BYTES + 1));
    }
}
