//! The request of the hook under way.

use std::time::Duration;

use serde_json::Value;

use crate::testing::body::Body;
use crate::testing::exchange::{self, Exchange, Hold};
use crate::testing::world::World;
use crate::units::micros;

pub(crate) fn api() -> String {
    with(|exchange| exchange.body.api.clone())
}

pub(crate) fn model() -> String {
    with(|exchange| exchange.model.clone())
}

pub(crate) fn model_label() -> String {
    World::current().model_label(&model())
}

pub(crate) fn scenario() -> Option<String> {
    with(|exchange| exchange.scenario.clone())
}

pub(crate) fn streaming() -> bool {
    with(|exchange| exchange.streaming)
}

pub(crate) fn path() -> String {
    with(|exchange| exchange.path.clone())
}

pub(crate) fn header(name: &str) -> Option<String> {
    with(|exchange| exchange.headers.get(&name.to_lowercase()).cloned())
}

pub(crate) fn prompt_tokens() -> u32 {
    with(|exchange| exchange.prompt_tokens)
}

pub(crate) fn max_new_tokens() -> Option<u32> {
    with(|exchange| exchange::max_new_tokens(&exchange.body))
}

pub(crate) fn expected_new_tokens() -> u32 {
    with(|exchange| exchange.expected_new_tokens())
}

pub(crate) fn age_us() -> u64 {
    let now = World::current().elapsed.get();
    with(|exchange| micros(exchange.age + (now - exchange.sent)))
}

pub(crate) fn parameter(name: &str) -> Option<String> {
    with(|exchange| exchange.body.parameter(name).map(Value::to_string))
}

pub(crate) fn json(pointer: &str) -> Option<String> {
    if let Err(refused) = may_touch(pointer) {
        panic!("{refused}");
    }
    with(|exchange| exchange.body.json.pointer(pointer).map(Value::to_string))
}

pub(crate) fn attempt() -> u32 {
    with(|exchange| exchange.attempt)
}

pub(crate) fn pool() -> Option<String> {
    with(|exchange| exchange.pool.clone())
}

pub(crate) fn tenant() -> Option<String> {
    with(|exchange| exchange.tenant.clone())
}

pub(crate) fn key() -> Option<String> {
    with(|exchange| exchange.key.clone())
}

pub(crate) fn class() -> Option<String> {
    with(|exchange| exchange.class.clone())
}

pub(crate) fn tenant_share() -> u32 {
    with(|exchange| exchange.tenant_share.unwrap_or(1000))
}

pub(crate) fn objective_ms() -> Option<u32> {
    with(|exchange| exchange.objective_ms)
}

pub(crate) fn set_objective(ms: u32) {
    with(|exchange| exchange.objective_ms = Some(ms));
}

pub(crate) fn hold(behind_ms: u32, at_most_ms: u32) {
    let hold = Hold {
        behind: Duration::from_millis(behind_ms.into()),
        at_most: Duration::from_millis(at_most_ms.into()),
    };
    with(|exchange| exchange.hold = Some(hold));
}

pub(crate) fn explain(why: &str) {
    with(|exchange| exchange.explanation = Some(why.to_owned()));
}

pub(crate) fn charge(budget: u32) {
    let budgets = &World::current().budgets;
    let name = budgets.borrow()[budget as usize].name.clone();
    with(|exchange| exchange.charges.push(name));
}

pub(crate) fn route(pool: &str) {
    expect_pool(pool);
    with(|exchange| exchange.pool = Some(pool.to_owned()));
}

pub(crate) fn fall_back(pool: &str) {
    expect_pool(pool);
    with(|exchange| exchange.fallback = Some(pool.to_owned()));
}

pub(crate) fn set_model(model: &str) {
    with(|exchange| model.clone_into(&mut exchange.model));
}

pub(crate) fn set_max_new_tokens(tokens: u32) {
    let set = with(|exchange| exchange.body.set_parameter("max_new_tokens", tokens.into()));
    set.expect("every API has a cap on new tokens");
}

pub(crate) fn set_parameter(name: &str, value: &str) -> Result<(), String> {
    let value = parse(value)?;
    with(|exchange| exchange.body.set_parameter(name, value))
}

pub(crate) fn wrap_prompt(before: &str, after: &str) -> Result<(), String> {
    with(|exchange| {
        exchange.body.wrap_prompt(before, after)?;
        let (outer, end) = exchange.wrapping.get_or_insert_default();
        *outer = format!("{before}{outer}");
        end.push_str(after);
        Ok(())
    })
}

pub(crate) fn set_json(pointer: &str, value: &str) -> Result<(), String> {
    may_touch(pointer)?;
    let value = parse(value)?;
    with(|exchange| exchange.body.set(pointer, value))
}

pub(crate) fn set_header(name: &str, value: &str) -> Result<(), String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) {
        return Err(format!("`{name}` is not a header name"));
    }
    if value.chars().any(char::is_control) {
        return Err(format!(
            "the value for header `{name}` has control characters"
        ));
    }
    let (name, value) = (name.to_lowercase(), value.to_owned());
    with(|exchange| exchange.headers.insert(name, value));
    Ok(())
}

pub(crate) fn remove_header(name: &str) {
    with(|exchange| exchange.headers.remove(&name.to_lowercase()));
}

pub(crate) fn tag(key: &str, value: &str) {
    let (key, value) = (key.to_owned(), value.to_owned());
    with(|exchange| exchange.tags.insert(key, value));
}

pub(crate) fn state() -> Vec<u8> {
    with(|exchange| exchange.state.clone())
}

pub(crate) fn set_state(state: &[u8]) {
    with(|exchange| exchange.state = state.to_vec());
}

fn with<T>(act: impl FnOnce(&mut Exchange) -> T) -> T {
    World::current().with_exchange(act)
}

/// Whether the filter may read or set what a pointer leads to.
fn may_touch(pointer: &str) -> Result<(), String> {
    if !Body::is_content(pointer) || World::current().grants.contains("content") {
        return Ok(());
    }
    Err(format!(
        "`{pointer}` leads to prompt content, which needs the grant `content`"
    ))
}

fn parse(json: &str) -> Result<Value, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

/// # Panics
/// When the gateway has no such pool.
fn expect_pool(pool: &str) {
    if let Err(unknown) = World::current().find_pool(pool) {
        panic!("the filter routes to a pool that is not there: {unknown}");
    }
}
