//! The request and the outcome that hooks are given, with the signatures that
//! the bindings have in wasm.

mod outcome;

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::body::Body;
use super::world::World;

pub(crate) use outcome::{Facts, Outcome};

/// What one mock exchange has come to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) body: Body,
    pub(crate) path: String,
    pub(crate) model: String,
    pub(crate) scenario: Option<String>,
    pub(crate) streaming: bool,
    pub(crate) prompt_tokens: u32,
    pub(crate) attempt: u32,
    pub(crate) pool: Option<String>,
    pub(crate) fallback: Option<String>,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) wrapping: Option<(String, String)>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) state: Vec<u8>,
}

/// An exchange while a hook has it.
#[derive(Debug)]
pub(crate) struct Request(pub(crate) RefCell<Exchange>);

impl Request {
    pub(crate) fn api(&self) -> String {
        self.0.borrow().body.api.clone()
    }

    pub(crate) fn model(&self) -> String {
        self.0.borrow().model.clone()
    }

    pub(crate) fn model_label(&self) -> String {
        World::current().model_label(&self.0.borrow().model)
    }

    pub(crate) fn scenario(&self) -> Option<String> {
        self.0.borrow().scenario.clone()
    }

    pub(crate) fn streaming(&self) -> bool {
        self.0.borrow().streaming
    }

    pub(crate) fn path(&self) -> String {
        self.0.borrow().path.clone()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.0.borrow().headers.get(&name.to_lowercase()).cloned()
    }

    pub(crate) fn prompt_tokens(&self) -> u32 {
        self.0.borrow().prompt_tokens
    }

    pub(crate) fn max_new_tokens(&self) -> Option<u32> {
        max_new_tokens(&self.0.borrow().body)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.0.borrow().body.parameter(name).map(Value::to_string)
    }

    pub(crate) fn json(&self, pointer: &str) -> Option<String> {
        if let Err(refused) = may_touch(pointer) {
            panic!("{refused}");
        }
        self.0
            .borrow()
            .body
            .json
            .pointer(pointer)
            .map(Value::to_string)
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.0.borrow().attempt
    }

    pub(crate) fn pool(&self) -> Option<String> {
        self.0.borrow().pool.clone()
    }

    pub(crate) fn route(&self, pool: &str) {
        expect_pool(pool);
        self.0.borrow_mut().pool = Some(pool.to_owned());
    }

    pub(crate) fn fall_back(&self, pool: &str) {
        expect_pool(pool);
        self.0.borrow_mut().fallback = Some(pool.to_owned());
    }

    pub(crate) fn set_model(&self, model: &str) {
        self.0.borrow_mut().model = model.to_owned();
    }

    pub(crate) fn set_max_new_tokens(&self, tokens: u32) {
        let set = self
            .0
            .borrow_mut()
            .body
            .set_parameter("max_new_tokens", tokens.into());
        set.expect("every API has a cap on new tokens");
    }

    pub(crate) fn set_parameter(&self, name: &str, value: &str) -> Result<(), String> {
        self.0.borrow_mut().body.set_parameter(name, parse(value)?)
    }

    pub(crate) fn wrap_prompt(&self, before: &str, after: &str) -> Result<(), String> {
        let exchange = &mut *self.0.borrow_mut();
        exchange.body.wrap_prompt(before, after)?;
        let (outer, end) = exchange.wrapping.get_or_insert_default();
        *outer = format!("{before}{outer}");
        end.push_str(after);
        Ok(())
    }

    pub(crate) fn set_json(&self, pointer: &str, value: &str) -> Result<(), String> {
        may_touch(pointer)?;
        self.0.borrow_mut().body.set(pointer, parse(value)?)
    }

    pub(crate) fn set_header(&self, name: &str, value: &str) -> Result<(), String> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_token) {
            return Err(format!("`{name}` is not a header name"));
        }
        if value.chars().any(char::is_control) {
            return Err(format!(
                "the value for header `{name}` has control characters"
            ));
        }
        self.0
            .borrow_mut()
            .headers
            .insert(name.to_lowercase(), value.to_owned());
        Ok(())
    }

    pub(crate) fn remove_header(&self, name: &str) {
        self.0.borrow_mut().headers.remove(&name.to_lowercase());
    }

    pub(crate) fn tag(&self, key: &str, value: &str) {
        self.0
            .borrow_mut()
            .tags
            .insert(key.to_owned(), value.to_owned());
    }

    pub(crate) fn state(&self) -> Vec<u8> {
        self.0.borrow().state.clone()
    }

    pub(crate) fn set_state(&self, state: &[u8]) {
        self.0.borrow_mut().state = state.to_vec();
    }
}

/// The cap on new tokens, whatever the API calls it.
pub(crate) fn max_new_tokens(body: &Body) -> Option<u32> {
    let tokens = body.parameter("max_new_tokens")?.as_u64()?;
    u32::try_from(tokens).ok()
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
