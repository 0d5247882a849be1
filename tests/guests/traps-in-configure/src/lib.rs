//! A guest that traps when it is loaded.

use headworks_sdk::prelude::*;

struct TrapsInConfigure;

#[filter]
impl Filter for TrapsInConfigure {
    type Config = NoSettings;

    fn configure(_: NoSettings) -> Result<Self, Problems> {
        std::process::abort()
    }

    fn on_request(&self, _: &mut Request) -> Verdict {
        Verdict::Next
    }
}
