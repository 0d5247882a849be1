//! A request on its way to the filter.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::body::Body;
use super::exchange::Exchange;
use super::world::World;
use crate::Filter;
use crate::units::millis_at_least;

/// A request to the mock gateway, made by [`MockHost::chat`](super::MockHost::chat)
/// and its kin.
///
/// Its prompt is `hello`, its body what a client would send.
#[must_use = "a call does nothing until `send`"]
pub struct Call<F> {
    world: Rc<World>,
    filter: Rc<F>,
    exchange: Exchange,
}

impl<F: Filter> Call<F> {
    pub(super) fn new(
        world: Rc<World>,
        filter: Rc<F>,
        (api, path): (&str, &str),
        model: &str,
    ) -> Self {
        let json = match api {
            "openai.chat" => {
                json!({"model": model, "messages": [{"role": "user", "content": "hello"}]})
            }
            "openai.completions" => json!({"model": model, "prompt": "hello"}),
            "unified" => json!({"model_id": model, "inputs": "hello"}),
            _ => json!({"inputs": "hello"}),
        };
        let exchange = Exchange {
            body: Body {
                api: api.to_owned(),
                json,
            },
            path: path.to_owned(),
            model: model.to_owned(),
            prompt_tokens: 2,
            sent: world.elapsed.get(),
            ..Exchange::default()
        };
        Self {
            world,
            filter,
            exchange,
        }
    }

    /// A request header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.exchange
            .headers
            .insert(name.to_lowercase(), value.to_owned());
        self
    }

    /// The `scenario` of a unified request.
    ///
    /// # Panics
    /// When it is not a unified request.
    pub fn scenario(mut self, scenario: &str) -> Self {
        let api = &self.exchange.body.api;
        assert_eq!(
            api, "unified",
            "only a unified request has a scenario, not `{api}`"
        );
        self.exchange.scenario = Some(scenario.to_owned());
        self.json("/scenario", scenario)
    }

    /// The text of the prompt.
    pub fn prompt(self, text: &str) -> Self {
        let place = match self.exchange.body.api.as_str() {
            "openai.chat" => "/messages/0/content",
            "openai.completions" => "/prompt",
            _ => "/inputs",
        };
        self.json(place, text)
    }

    /// How long the host takes the prompt for; 2 when not set.
    pub fn prompt_tokens(mut self, tokens: u32) -> Self {
        self.exchange.prompt_tokens = tokens;
        self
    }

    /// The client's cap on new tokens.
    pub fn max_new_tokens(self, tokens: u32) -> Self {
        self.parameter("max_new_tokens", tokens)
    }

    /// How many new tokens the host expects; the cap when not set, 128 without one.
    pub fn expected_new_tokens(mut self, tokens: u32) -> Self {
        self.exchange.expected_new_tokens = Some(tokens);
        self
    }

    /// How long ago the request arrived; from here on it ages with the clock.
    pub fn age(mut self, age: Duration) -> Self {
        self.exchange.age = age;
        self
    }

    /// A generation parameter, by its TGI name.
    ///
    /// # Panics
    /// When the API has no such parameter.
    pub fn parameter(mut self, name: &str, value: impl Into<Value>) -> Self {
        let set = self.exchange.body.set_parameter(name, value.into());
        set.unwrap_or_else(|error| panic!("the call cannot be made: {error}"));
        self
    }

    /// A value at a JSON pointer into the body.
    ///
    /// # Panics
    /// When there is no such place in the body.
    pub fn json(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let set = self.exchange.body.set(pointer, value.into());
        set.unwrap_or_else(|error| panic!("the call cannot be made: {error}"));
        self
    }

    /// Asks for a stream.
    pub fn stream(mut self) -> Self {
        self.exchange.streaming = true;
        self.json("/stream", true)
    }

    /// Whose request it is.
    pub fn tenant(mut self, tenant: &str) -> Self {
        self.exchange.tenant = Some(tenant.to_owned());
        self
    }

    /// The id of the API key.
    pub fn key(mut self, id: &str) -> Self {
        self.exchange.key = Some(id.to_owned());
        self
    }

    /// The class of the API key.
    pub fn class(mut self, class: &str) -> Self {
        self.exchange.class = Some(class.to_owned());
        self
    }

    /// What the tenant has had of the pool, to thousandths; 1.0, just its share,
    /// when not set.
    pub fn tenant_share(mut self, share: f64) -> Self {
        self.exchange.tenant_share = Some((share * 1000.0).round() as u32);
        self
    }

    /// The pool that an earlier filter of the chain chose.
    pub fn routed(mut self, pool: &str) -> Self {
        self.exchange.pool = Some(pool.to_owned());
        self
    }

    /// The objective that an earlier filter of the chain set.
    pub fn objective(mut self, objective: Duration) -> Self {
        self.exchange.objective_ms = Some(millis_at_least(objective));
        self
    }

    /// How many endpoints have been tried.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.exchange.attempt = attempt;
        self
    }

    /// Runs `on_request`, if the filter has it.
    pub fn send(self) -> Answer<F> {
        Answer::ask(self.world, self.filter, self.exchange)
    }
}

impl<F> fmt::Debug for Call<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}
