//! A guest that wants ever more memory when it is loaded.

use headworks_sdk::prelude::*;

struct HoardsInConfigure;

#[filter]
impl Filter for HoardsInConfigure {
    type Config = NoSettings;

    fn configure(_: NoSettings) -> Result<Self, Problems> {
        let mut hoard = Vec::new();
        loop {
            hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
        }
    }

    fn on_request(&self, _: &mut Request) -> Verdict {
        Verdict::Next
    }
}
