//! What the law has learned of a pool, in the gateway's store: instances of the
//! filter are several, and may vanish.

use headworks_sdk::prelude::*;

use crate::law::{Law, Options};

/// Lets the law act with what was learned of a pool, and keeps what it learns.
///
/// Two threads that act at once may lose what one of them has learned. That is
/// harmless: it is one of many answers, or a refusal that others repeat.
pub(crate) fn with<T>(pool: &str, options: Options, act: impl FnOnce(&mut Law) -> T) -> T {
    let mut law = Law::new(options);
    if let Some(saved) = store::get(pool) {
        law.restore(&saved);
    }
    let before = law;
    let done = act(&mut law);
    if law != before {
        store::set(pool, &law.save(), None);
    }
    done
}
