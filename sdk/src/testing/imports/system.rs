//! Log, clocks and chance.

use std::time::Duration;

use crate::testing::world::World;

/// 1 January 2030: where the clock of a test starts.
const START: Duration = Duration::from_secs(1_893_456_000);

#[derive(Clone, Copy)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    World::current()
        .logs
        .borrow_mut()
        .push(format!("{level}: {message}"));
}

pub(crate) fn now_ms() -> u64 {
    whole((START + World::current().elapsed.get()).as_millis())
}

pub(crate) fn monotonic_us() -> u64 {
    whole(World::current().elapsed.get().as_micros())
}

/// SplitMix64: short, and good enough for every seed.
pub(crate) fn random_u64() -> u64 {
    let world = World::current();
    let state = world.chance.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
    world.chance.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn whole(time: u128) -> u64 {
    u64::try_from(time).expect("tests do not last that long")
}
