//! The shared key-value state.

use crate::testing::world::World;

pub(crate) fn get(key: &str) -> Option<Vec<u8>> {
    let world = World::current();
    world
        .store
        .borrow()
        .get(key, world.elapsed.get())
        .map(<[u8]>::to_vec)
}

pub(crate) fn set(key: &str, value: &[u8], ttl_ms: u32) {
    let world = World::current();
    world
        .store
        .borrow_mut()
        .set(key, value, ttl_ms, world.elapsed.get());
}

pub(crate) fn increment(key: &str, by: i64, ttl_ms: u32) -> i64 {
    let world = World::current();
    world
        .store
        .borrow_mut()
        .increment(key, by, ttl_ms, world.elapsed.get())
}
