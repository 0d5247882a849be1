//! A routing policy in fourteen lines: a header names the client's tier, the
//! settings name the pool of each tier.

use headworks_sdk::prelude::*;

/// Which header names the tier, and the pool of each tier.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gold_tier_goes_to_the_big_pool() {
        let settings = json!({"header": "x-tier", "routes": {"gold": "big"}});
        let mut host = testing::host::<TierRouter>(settings).unwrap();
        assert_eq!(
            host.chat("llama3").header("x-tier", "gold").send().pool(),
            Some("big")
        );
    }

    #[test]
    fn a_tier_without_a_route_is_left_to_later_filters() {
        let settings = json!({"header": "x-tier", "routes": {"gold": "big"}});
        let mut host = testing::host::<TierRouter>(settings).unwrap();
        assert_eq!(
            host.chat("llama3").header("x-tier", "tin").send().pool(),
            None
        );
        assert_eq!(host.chat("llama3").send().pool(), None);
    }
}
