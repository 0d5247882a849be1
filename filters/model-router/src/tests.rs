mod models;
mod scenarios;
mod settings;

use headworks_sdk::prelude::*;

use crate::ModelRouter;

/// A gateway with the pools `qwen2` and `llama3`.
fn host(settings: Value) -> testing::MockHost<ModelRouter> {
    load(settings).unwrap()
}

fn load(settings: Value) -> Result<testing::MockHost<ModelRouter>, Problems> {
    let pools = testing::gateway().pool("qwen2", &[]).pool("llama3", &[]);
    pools.load(settings)
}

/// Status and code of a refusal.
fn refusal(answer: &testing::Answer<ModelRouter>) -> (u16, &str) {
    let rejection = answer.rejection().expect("it is refused");
    (rejection.status, &rejection.code)
}
