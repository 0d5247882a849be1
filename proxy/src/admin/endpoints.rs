//! How endpoints are, and a way to take one out of use and back.

use serde_json::{Map, Value, json};

use super::{Admin, Page};
use crate::filter::Health;
use crate::upstream::{Pools, Report};

impl Admin {
    /// The endpoints of each pool.
    pub(super) fn endpoints(&self) -> Value {
        let live = self.live.current();
        let pools = live.pools.iter().map(|pool| {
            let endpoints: Vec<Value> = pool.reports().map(|report| describe(&report)).collect();
            (pool.name.to_string(), endpoints.into())
        });
        json!({ "pools": pools.collect::<Map<_, _>>() })
    }

    /// Takes the endpoint that a query names out of use, or back into it.
    pub(super) fn drain(&self, query: &str, out: bool) -> Page {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let Some((_, url)) = pairs.find(|(name, _)| name == "endpoint") else {
            return Page::text(
                400,
                "say which one, by its URL: ?endpoint=http://10.0.0.2:8080",
            );
        };
        let pools = &self.live.current().pools;
        let Some(endpoint) = pools.endpoint(url.trim_end_matches('/')) else {
            return Page::text(404, format!("no such endpoint; there are:{}", urls(pools)));
        };
        if out {
            endpoint.drain();
        } else {
            endpoint.undrain();
        }
        let url = &*endpoint.url;
        tracing::info!(endpoint = url, drained = out, "as an operator said");
        Page::json(200, &json!({ "endpoint": url, "drained": out }))
    }
}

fn urls(pools: &Pools) -> String {
    let all = pools.iter().flat_map(|pool| &pool.endpoints);
    all.map(|endpoint| format!("\n{}", endpoint.url)).collect()
}

fn describe(report: &Report) -> Value {
    let health = match report.health {
        Health::Up => "up",
        Health::Degraded => "degraded",
        Health::Down => "down",
    };
    json!({
        "url": &*report.url,
        "health": health,
        "why": report.why,
        "drained": report.drained,
        "weight": report.weight,
        "share": (report.share * 100.0).round() / 100.0,
        "in_flight": report.in_flight,
        "outstanding_tokens": report.outstanding_tokens,
        "gauges": report.gauges,
        "limits": report.limits.as_deref(),
    })
}
