//! A routing policy in fourteen lines: a header names the client's tier, the
//! settings name the pool of each tier.

use headworks_sdk::prelude::*;

#[config]
pub struct Config {
    header: String,
    routes: BTreeMap<String, String>,
}

#[on_request]
fn tier_router(request: &mut Request, config: &Config) -> Verdict {
    let tier = request.header(&config.header);
    if let Some(pool) = tier.and_then(|tier| config.routes.get(&tier)) {
        request.route(pool);
    }
    Verdict::Next
}
