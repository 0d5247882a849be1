//! A guest that calls itself without end.

use headworks_sdk::prelude::*;

#[on_request]
fn recurses(_: &mut Request) -> Verdict {
    std::hint::black_box(depth(0));
    Verdict::Next
}

fn depth(above: u64) -> u64 {
    if std::hint::black_box(above) == u64::MAX {
        return above;
    }
    depth(above + 1) + 1
}
