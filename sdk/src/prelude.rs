//! What a filter starts with: `use headworks_sdk::prelude::*;`

pub use std::collections::BTreeMap;
pub use std::time::Duration;

pub use serde_json::{Value, json};

pub use crate::{
    Allowance, Budget, Candidate, Counter, End, Filter, Gauge, Health, Hooks, NoSettings, Outcome,
    Period, Placement, Problem, Problems, Refused, Rejection, Request, Scope, Settings, Timer,
    Unit, Usable, Verdict, clock, config, filter, log, on_complete, on_request, place, random,
    setup, store, upstreams,
};

#[cfg(not(target_family = "wasm"))]
pub use crate::testing;
