//! A guest that likes no settings.

use headworks_sdk::prelude::*;

struct RefusesSettings;

#[filter]
impl Filter for RefusesSettings {
    type Config = NoSettings;

    fn configure(_: NoSettings) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        problems.add("limits[0].tokens", "must be greater than 0");
        problems.add("", "too few");
        Err(problems)
    }

    fn on_request(&self, _: &mut Request) -> Verdict {
        Verdict::Next
    }
}
