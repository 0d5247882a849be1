//! A guest that wants ever more memory.

use headworks_sdk::prelude::*;

#[on_request]
fn hoards(_: &mut Request) -> Verdict {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}
