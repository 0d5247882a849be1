//! A guest that never answers.

use headworks_sdk::prelude::*;

#[on_request]
fn loops(_: &mut Request) -> Verdict {
    loop {
        std::hint::black_box(());
    }
}
