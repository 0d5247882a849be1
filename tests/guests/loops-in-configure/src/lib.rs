//! A guest that is never done with its settings.

use headworks_sdk::prelude::*;

struct LoopsInConfigure;

#[filter]
impl Filter for LoopsInConfigure {
    type Config = NoSettings;

    fn configure(_: NoSettings) -> Result<Self, Problems> {
        loop {
            std::hint::black_box(());
        }
    }

    fn on_request(&self, _: &mut Request) -> Verdict {
        Verdict::Next
    }
}
