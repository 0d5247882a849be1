//! A guest that traps, without a word.

use headworks_sdk::prelude::*;

#[on_request]
fn traps(_: &mut Request) -> Verdict {
    std::process::abort()
}
