//! What a filter settles while it is configured.

use std::rc::Rc;

use crate::testing::world::World;

pub(crate) fn name() -> String {
    configuring("name").name.clone()
}

pub(crate) fn serves_model(id: &str) {
    configuring("serves_model")
        .served
        .borrow_mut()
        .insert(id.to_owned());
}

pub(crate) fn uses_pool(name: &str) -> Result<(), String> {
    configuring("uses_pool").find_pool(name)
}

pub(crate) fn needs_grant(grant: &str) -> Result<(), String> {
    if configuring("needs_grant").grants.contains(grant) {
        return Ok(());
    }
    Err(format!(
        "needs the grant `{grant}`; add grants = [\"{grant}\"] to the filter"
    ))
}

fn configuring(function: &str) -> Rc<World> {
    let world = World::current();
    assert!(
        world.configuring.get(),
        "`setup::{function}` is for `configure` only"
    );
    world
}
