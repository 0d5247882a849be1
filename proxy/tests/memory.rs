//! Memory over a long time, in a process where nothing else uses any.

#![allow(clippy::unwrap_used, reason = "what helps a test is a test")]

use std::fs;

#[path = "wasm/support.rs"]
mod support;

use support::Host;

#[test]
fn ten_thousand_traps_leave_memory_as_it_was() {
    let host = Host::new();
    let filter = host.load("traps").unwrap();
    let trap = |times| {
        for _ in 0..times {
            filter.on_request(host.exchange()).1.unwrap_err();
        }
    };
    trap(500);
    let before = resident();
    trap(10_000);
    let grown = resident().saturating_sub(before);
    assert!(grown < 8 << 20, "memory grew by {grown} bytes");
}

/// Resident memory of this process, bytes.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
