//! Waiting for conditions.

use std::time::Duration;

/// How long a condition may take to come true: far more than it ever takes, so
/// that a busy machine fails no test.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// Looks again and again until there is something to see.
///
/// # Panics
/// When there is nothing for [`PATIENCE`]; `what` says what was waited for.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            match look().await {
                Some(seen) => return seen,
                None => tokio::time::sleep(LOOK).await,
            }
        }
    };
    let seen = tokio::time::timeout(PATIENCE, looking).await;
    seen.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}
