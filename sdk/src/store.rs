//! Key-value state shared by all instances of a filter.
//!
//! It survives reloads and is bounded by the host: when it is full, the entries
//! that expire first go first. A time to live of `None` keeps an entry for as
//! long as there is room.
//!
//! ```
//! use headworks_sdk::prelude::*;
//! use std::time::Duration;
//!
//! const MINUTE: Duration = Duration::from_secs(60);
//!
//! #[on_request]
//! fn sixty_a_minute(request: &mut Request) -> Verdict {
//!     let key = request.header("x-api-key").unwrap_or_default();
//!     match store::increment(&key, 1, Some(MINUTE)) {
//!         ..=60 => Verdict::Next,
//!         _ => Verdict::too_many(MINUTE, "60 requests a minute are allowed"),
//!     }
//! }
//! ```

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::host::store;
use crate::units::millis_at_least;

/// The value of a key; a number of [`increment`] as an `i64`, little-endian.
#[must_use]
pub fn get(key: &str) -> Option<Vec<u8>> {
    store::get(key)
}

/// Sets the value of a key; its time to live starts anew.
pub fn set(key: &str, value: &[u8], ttl: Option<Duration>) {
    store::set(key, value, ttl.map_or(0, millis_at_least));
}

/// Adds atomically to the number of a key and returns the sum. A key starts
/// from 0, and its time to live counts from the first addition. A value of
/// [`set`] that is no number is a fault of the filter.
pub fn increment(key: &str, by: i64, ttl: Option<Duration>) -> i64 {
    store::increment(key, by, ttl.map_or(0, millis_at_least))
}

/// The value of a key as serde reads it from JSON. None if it is not such a
/// value, as after a reload that came with another type.
///
#[must_use]
pub fn get_json<T: DeserializeOwned>(key: &str) -> Option<T> {
    serde_json::from_slice(&get(key)?).ok()
}

/// Sets the value of a key to JSON, as serde writes it.
///
/// # Panics
/// When it cannot be JSON: a map whose keys are no text.
pub fn set_json<T: Serialize>(key: &str, value: &T, ttl: Option<Duration>) {
    let json = serde_json::to_vec(value).expect("the value can be JSON");
    set(key, &json, ttl);
}

/// Changes the value of a key, kept as JSON; one that is not there, or of another
/// type, begins with its default. Its time to live starts anew.
///
/// There is no lock: of two filters that change a value at one time, one goes
/// unnoticed. What must be exact is counted by [`increment`].
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// /// A moving mean of latencies, for which one less does not matter.
/// #[on_complete]
/// fn mean(_: &Request, outcome: &Outcome) {
///     store::update_json("mean", None, |mean: &mut f64| {
///         *mean = 0.9 * *mean + 0.1 * outcome.latency().as_secs_f64();
///     });
/// }
/// # let mut host = testing::host::<Mean>(json!({})).unwrap();
/// # host.chat("llama3").send().complete(testing::Ended::ok());
/// ```
///
/// # Panics
/// When it cannot be JSON: a map whose keys are no text.
pub fn update_json<T>(key: &str, ttl: Option<Duration>, change: impl FnOnce(&mut T))
where
    T: Default + Serialize + DeserializeOwned,
{
    let mut value = get_json(key).unwrap_or_default();
    change(&mut value);
    set_json(key, &value, ttl);
}
