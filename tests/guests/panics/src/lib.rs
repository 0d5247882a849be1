//! A guest that panics.

use headworks_sdk::prelude::*;

#[on_request]
fn panics(_: &mut Request) -> Verdict {
    panic!("oh no")
}
