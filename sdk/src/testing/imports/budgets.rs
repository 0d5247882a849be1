//! The budgets that a filter declares.

use crate::Allowance;
use crate::testing::world::World;

/// # Panics
/// When it is not `configure` that declares, or nothing could ever be used.
pub(crate) fn declare(allowance: &Allowance) -> u32 {
    let world = World::current();
    assert!(
        world.configuring.get(),
        "budgets are declared in `configure` only"
    );
    let name = &allowance.name;
    assert!(!name.is_empty(), "a budget has a name");
    assert!(allowance.amount > 0, "budget `{name}` lets nothing through");
    let mut budgets = world.budgets.borrow_mut();
    budgets.push(allowance.clone());
    u32::try_from(budgets.len() - 1).expect("tests have fewer budgets")
}
