//! A guest that floods the log.

use headworks_sdk::prelude::*;

#[on_request]
fn logs_much(_: &mut Request) -> Verdict {
    let line = "x".repeat(5000);
    for _ in 0..1000 {
        log::info(&line);
    }
    Verdict::Next
}
