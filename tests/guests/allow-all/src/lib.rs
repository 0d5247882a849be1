//! A guest that has no objection.

use headworks_sdk::prelude::*;

#[on_request]
fn allow_all(_: &mut Request) -> Verdict {
    Verdict::Next
}
